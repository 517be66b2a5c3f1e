// deploy/supervisor.h: the small process that holds sockets and replicas.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "deploy/control_link.h"
#include "deploy/control_protocol.h"
#include "deploy/listener_table.h"
#include "deploy/replica_table.h"
#include "deploy/restart_policy.h"
#include "deploy/supervisor_state.h"
#include "runtime/child_process.h"
#include "runtime/sd_notify.h"
#include "runtime/signals.h"
#include "telemetry/log.h"

namespace spillway::deploy {

// The server's end of the control socket has this number.
inline constexpr int server_control_descriptor = 3;

struct SupervisorOptions {
  std::vector<std::string> arguments;         // Our own, for the exec of an upgrade.
  std::vector<std::string> server_arguments;  // "spillway server ...".
  std::string program;                        // Where upgrades are found, unless named.
  // What a new program has to do with success before it may run: { "check", "plan.yaml" }.
  std::vector<std::vector<std::string>> upgrade_checks;
  std::optional<std::string> user;  // Of the server, and of replicas that name none.
  std::optional<uint64_t> replica_descriptor_limit;  // The soft limit that replicas start with.
  Duration drain = 30s;          // What a server may take to finish what is under way.
  Duration ready_within = 60s;   // What a new server may take to become ready in an upgrade.
  Duration replica_grace = 10s;  // From TERM to KILL at the end.
};

// One per process, on its only thread. Reads no byte of any peer: clients, replicas, databases and
// their protocols are the server's. Signals do what runtime::signal_table() says.
class Supervisor final : private ReplicaEndObserver {
 public:
  Supervisor(runtime::Loop& loop, SupervisorOptions options, telemetry::Log& log,
             runtime::ServiceManager service_manager);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Opened by the service manager; before run().
  Result<void> adopt(runtime::ActivatedSocket socket) {
    return listeners_.adopt(std::move(socket));
  }
  // Until everything has ended: the exit status of the program. In an upgrade it does not return:
  // the new program's run() goes on with the same sockets, replicas and pid.
  int run();

 private:
  enum class Role : uint8_t { serving, candidate, draining };
  struct Server {
    Server(uint64_t its_number, Role its_role, runtime::Loop& loop, runtime::ChildProcess its_child,
           runtime::MessageSocket socket)
        : number(its_number),
          role(its_role),
          child(std::move(its_child)),
          link(loop, std::move(socket)),
          ended(loop),
          hearing(loop) {}
    uint64_t number;
    Role role;
    runtime::ChildProcess child;
    ControlLink link;
    runtime::Event ended;
    runtime::Gate hearing;
    std::optional<Instant> ready_at;
  };
  struct Asker {  // Whoever waits for the outcome of an upgrade.
    uint64_t server;
    uint64_t request;
  };
  struct RequestHandler;

  // supervisor.cc: servers and signals.
  Result<void> prepare();
  runtime::Task<void> follow_signals();
  void take_signal(int number);
  Result<Server*> start_server(Role role, int program);
  void add_server(std::unique_ptr<Server> server);
  void hand_over(Server& server);
  runtime::Task<void> follow_server(Server& server);
  runtime::Task<void> hear_server(Server& server);
  void server_ended(const Server& server, const runtime::ExitStatus& status);
  void restart_server(const Server& ended);
  runtime::Task<void> start_server_at(Instant when);
  runtime::Task<void> enforce_drain(uint64_t number);
  runtime::Task<void> keep_watchdog(Duration period);
  void reap_orphans();
  void request_stop();
  runtime::Task<void> stop_all();
  runtime::Task<void> stop_servers();
  Server* find_server(uint64_t number);
  Server* serving();
  void broadcast(const Notice& notice);
  void answer(Server& server, Answer answer, std::span<const int> descriptors = {});
  void answer(uint64_t server, Answer reply);
  void replica_ended(const ReplicaRecord& replica, const runtime::ExitStatus& status,
                     Duration ran) override;
  void guard_lost() override;

  // supervisor_requests.cc: what servers ask for.
  runtime::Task<void> start_replica(uint64_t server, uint64_t request, StartReplica start);

  // supervisor_upgrade.cc: the way to a new program.
  void request_upgrade(std::string program, std::optional<Asker> asker);
  runtime::Task<void> upgrade(std::string program, std::optional<Asker> asker);
  runtime::Task<Result<void>> check_program(int program);
  runtime::Task<Result<Server*>> start_candidate(int program);
  runtime::Task<void> kill_server(uint64_t number);
  runtime::Task<void> switch_to(uint64_t candidate);
  bool is_quiet() const;
  std::string state() const;
  void execute(int program);
  Result<bool> restore();
  Result<void> restore_replica(const SupervisorState::Replica& replica);
  Result<void> restore_server(const SupervisorState::Server& server);

  runtime::Loop& loop_;
  const SupervisorOptions options_;
  telemetry::Log& log_;
  const runtime::ServiceManager service_manager_;
  std::optional<runtime::Credentials> credentials_;
  std::optional<runtime::Signals> signals_;
  runtime::FileHandle program_;  // The file we run, whatever is put in its place.
  ListenerTable listeners_;
  ReplicaTable replicas_;
  std::map<uint64_t, std::unique_ptr<Server>> servers_;
  std::map<std::string, std::string> kept_;  // Texts of servers for servers; see Keep.
  uint64_t next_server_ = 1;
  RestartPolicy restarts_;
  std::vector<pid_t> other_children_;  // From before our time, or running a check: left alone.
  runtime::Event changed_;  // A server ended or became ready, or stopping has begun or is urgent.
  runtime::Event ending_;   // Set at the very end: what only waits for time ends with it.
  bool any_was_ready_ = false;
  uint32_t deaths_by_signal_ = 0;  // Of serving servers.
  bool has_lost_guard_ = false;
  bool is_upgrading_ = false;
  bool is_stopping_ = false;
  bool is_urgent_ = false;
  int exit_status_ = 0;
  runtime::Gate gate_;
};

}  // namespace spillway::deploy
