// deploy/supervisor_channel.h: the server's end of its socket to the supervisor.
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
#include "runtime/event.h"
#include "runtime/file_handle.h"
#include "runtime/gate.h"
#include "runtime/task.h"

namespace spillway::deploy {

struct ListeningSockets {
  SocketAddress at;                          // As asked for.
  SocketAddress bound;                       // As it is: the port behind port 0.
  std::vector<runtime::FileHandle> sockets;  // For a UNIX or an activated socket one, for all.
};
struct RunningReplica {
  ReplicaRecord record;
  runtime::FileHandle output;  // Non-blocking read ends of its stdout and stderr.
  runtime::FileHandle errors;
};
// What the supervisor held when this server started.
struct Handover {
  std::vector<ListeningSockets> listeners;
  std::vector<RunningReplica> replicas;
  std::map<std::string, std::string> kept;  // What servers before this one left for it.
};

// What the supervisor wants of this process. Called on the loop, one after the other.
class ServerDuties {
 public:
  // Accept nothing more, finish what is under way, exit with 0. Without `within` the supervisor is
  // gone, and there is nobody left to ask.
  virtual void drain(std::optional<Duration> within) = 0;
  virtual void reload() = 0;            // HUP
  virtual void reopen_log_files() = 0;  // USR1

 protected:
  ~ServerDuties() = default;
};

// What becomes of replicas; LocalReplicas listens.
class ReplicaNotices {
 public:
  virtual void take_over() = 0;  // From now on this process decides which replicas run.
  virtual void held(RunningReplica replica) = 0;  // Another server started it.
  virtual void exited(const ReplicaExited& notice) = 0;

 protected:
  ~ReplicaNotices() = default;
};

// One per server process; belongs to one core. Order: adopt, handover, run, requests, close.
class SupervisorChannel {
 public:
  // Takes over server_control_descriptor. Errors: overloaded, io.
  static Result<std::unique_ptr<SupervisorChannel>> adopt(runtime::Loop& loop, int fd);
  explicit SupervisorChannel(runtime::Loop& loop, runtime::MessageSocket socket);
  SupervisorChannel(const SupervisorChannel&) = delete;
  SupervisorChannel& operator=(const SupervisorChannel&) = delete;

  // First. Errors: connection_closed, protocol, deadline_exceeded.
  runtime::Task<Result<Handover>> handover(Deadline deadline);
  // Then: notices and answers are heard from here on. Both outlive close().
  void run(ServerDuties& duties, ReplicaNotices& replicas);

  // Errors of all requests: the supervisor's own, connection_closed, deadline_exceeded.
  runtime::Task<Result<ListeningSockets>> listen(Listen request, Deadline deadline);
  runtime::Task<Result<void>> unlisten(SocketAddress at, Deadline deadline);
  runtime::Task<Result<RunningReplica>> start_replica(StartReplica request, Deadline deadline);
  runtime::Task<Result<void>> stop_replica(uint64_t number, Duration grace, Deadline deadline);
  // This server accepts connections.
  runtime::Task<Result<void>> ready(Deadline deadline);
  // Leaves a text for the servers to come; see Keep.
  runtime::Task<Result<void>> keep(std::string name, std::string text, Deadline deadline);
  // Ends the whole program in order.
  runtime::Task<Result<void>> stop_everything(Deadline deadline);
  // Answered when the new server is ready, or with the reason why all stays as it is.
  runtime::Task<Result<void>> upgrade(std::string program, Deadline deadline);

  // Requests under way end with connection_closed.
  runtime::Task<void> close();

 private:
  struct Pending {
    explicit Pending(runtime::Loop& loop) : answered(loop) {}
    runtime::Event answered;
    std::optional<Answer> answer;
    std::vector<runtime::FileHandle> descriptors;
  };
  struct Answered {
    Answer answer;
    std::vector<runtime::FileHandle> descriptors;
  };
  struct NoticeHandler;

  runtime::Task<Result<Answered>> ask(Request request, Deadline deadline);
  runtime::Task<Result<void>> ask_plainly(Request request, Deadline deadline);
  runtime::Task<void> hear();

  runtime::Loop& loop_;
  ControlLink link_;
  std::map<uint64_t, Pending*> pending_;  // Bounded by who asks: each lies in a waiting frame.
  uint64_t next_id_ = 1;
  ServerDuties* duties_ = nullptr;
  ReplicaNotices* replicas_ = nullptr;
  bool is_closing_ = false;
  runtime::Gate gate_;
};

}  // namespace spillway::deploy
