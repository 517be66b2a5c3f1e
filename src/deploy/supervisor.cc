// deploy/supervisor.cc: keeps a server running, passes signals on and ends everything in order.
#include "deploy/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "runtime/process_tree.h"

namespace spillway::deploy {
namespace {

using runtime::ExitStatus;
using runtime::Task;

constexpr RestartConfig server_restarts{.pause = 100ms, .pause_max = 5s};
// A server that was ready once is started again for ever.
constexpr uint32_t deaths_before_ready_max = 5;
constexpr Duration drain_slack = 2s;   // A server that drained on time has left by then.
constexpr Duration urgent_grace = 1s;  // For replicas, once a second TERM has arrived.
constexpr Duration after_kill = 35s;   // Guards give up on unkillable processes after 30 s.

}  // namespace

Supervisor::Supervisor(runtime::Loop& loop, SupervisorOptions options, telemetry::Log& log,
                       runtime::ServiceManager service_manager)
    : loop_(loop),
      options_(std::move(options)),
      log_(log),
      service_manager_(std::move(service_manager)),
      replicas_(loop, *this, options_.user, options_.replica_descriptor_limit),
      restarts_(server_restarts),
      changed_(loop),
      ending_(loop),
      gate_(loop) {}

int Supervisor::run() {
  if (auto prepared = prepare(); !prepared) {
    log_.error("cannot start", {{"reason", prepared.error().detail}});
    return 1;
  }
  while (!ending_.is_set() || gate_.count() > 0) loop_.run_once(Instant::max());
  return exit_status_;
}

Result<void> Supervisor::prepare() {
  ::prctl(PR_SET_NAME, "spillway");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);  // Of guards that are killed.
  program_ = runtime::FileHandle(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
  if (!program_) return fail(system_error(errno, "open /proc/self/exe"));
  if (options_.user) {
    TRY(credentials, runtime::find_user(*options_.user));
    if (credentials.user != ::getuid()) credentials_ = std::move(credentials);
  }
  TRY(signals, runtime::Signals::open(loop_));
  signals_ = std::move(signals);
  TRY(is_restored, restore());
  if (!is_restored) {
    other_children_ = runtime::children_of(::getpid());
    TRY_VOID(start_server(Role::serving, program_.fd()));
  }
  gate_.spawn(follow_signals());
  if (service_manager_.watchdog()) gate_.spawn(keep_watchdog(*service_manager_.watchdog() / 2));
  return {};
}

// ---- Signals

Task<void> Supervisor::follow_signals() {
  while (!ending_.is_set()) {
    const auto number = co_await signals_->next(Deadline::never());
    if (!number) co_return;
    take_signal(*number);
  }
}

void Supervisor::take_signal(int number) {
  switch (number) {
    case SIGTERM:
    case SIGINT: return request_stop();
    case SIGCHLD: return reap_orphans();
    case SIGUSR2: return request_upgrade("", std::nullopt);
    case SIGHUP: return broadcast(SignalArrived{"HUP"});
    case SIGUSR1: return broadcast(SignalArrived{"USR1"});
    default: return;
  }
}

Task<void> Supervisor::keep_watchdog(Duration period) {
  while (!ending_.is_set()) {
    [[maybe_unused]] const auto told = service_manager_.alive();
    [[maybe_unused]] const auto woken = co_await ending_.wait(Deadline::after(loop_.now(), period));
  }
}

// Children that we did not start fell to us as orphans. As process 1 of a container we get
// anybody's, and only reap them; once a guard was killed they may be of its replica, and nobody
// else ends them.
void Supervisor::reap_orphans() {
  for (const pid_t pid : runtime::children_of(::getpid())) {
    const bool is_server = std::ranges::any_of(
        servers_, [pid](const auto& entry) { return entry.second->child.pid() == pid; });
    const bool is_other = std::ranges::find(other_children_, pid) != other_children_.end();
    if (is_server || is_other || replicas_.is_guard(pid)) continue;
    if (has_lost_guard_) ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, WNOHANG);
  }
}

// ---- Servers

Result<Supervisor::Server*> Supervisor::start_server(Role role, int program) {
  TRY(ends, runtime::MessageSocket::make_pair());
  TRY(child,
      runtime::ChildProcess::start(
          loop_, {.arguments = options_.server_arguments,
                  .program_fd = program,
                  .environment = runtime::inherited_environment(),
                  .descriptors = {{.ours = ends[1].fd(), .theirs = server_control_descriptor}},
                  .credentials = credentials_}));
  TRY(socket, runtime::MessageSocket::adopt(loop_, ends[0].release()));
  const uint64_t number = next_server_++;
  auto server = std::make_unique<Server>(number, role, loop_, std::move(child), std::move(socket));
  Server& started = *server;
  log_.info("server started", {{"pid", started.child.pid()}});
  hand_over(started);
  add_server(std::move(server));
  return &started;
}

void Supervisor::hand_over(Server& server) {
  for (const auto& held : listeners_.all()) {
    server.link.send(encode(HeldListener{.at = held.at, .bound = held.bound}),
                     descriptors_of(held));
  }
  for (const auto& [number, held] : replicas_.all()) {
    if (held->has_ended || held->record.pid == 0) continue;
    const int pipes[] = {held->output.fd(), held->errors.fd()};
    server.link.send(encode(HeldReplica{held->record}), pipes);
  }
  for (const auto& [name, text] : kept_) server.link.send(encode(Kept{name, text}));
  server.link.send(encode(HandoverEnd{}));
  if (server.role == Role::serving) server.link.send(encode(TakeOver{}));
}

void Supervisor::add_server(std::unique_ptr<Server> server) {
  Server& added = *(servers_[server->number] = std::move(server));
  added.hearing.spawn(hear_server(added));
  gate_.spawn(follow_server(added));
  if (added.role == Role::draining) gate_.spawn(enforce_drain(added.number));
}

Task<void> Supervisor::follow_server(Server& server) {
  const auto status = co_await server.child.exited(Deadline::never());
  server.ended.set();
  server_ended(server, status.value_or(ExitStatus{.signal = SIGKILL}));
  co_await server.link.close();
  [[maybe_unused]] const auto heard = co_await server.hearing.close(Deadline::never());
  servers_.erase(server.number);
  changed_.set();
}

void Supervisor::server_ended(const Server& server, const ExitStatus& status) {
  const bool was_asked = server.role == Role::draining || is_stopping_;
  if (was_asked && status.succeeded()) {
    log_.info("server ended", {{"pid", server.child.pid()}});
  } else {
    const std::string how = to_string(status);
    log_.warn("server died", {{"pid", server.child.pid()}, {"status", how}});
  }
  if (is_stopping_ || server.role != Role::serving) return;
  // It has found something wrong before it served anybody: another one would find the same. A
  // signal may have been meant for that one alone, but not again and again.
  if (status.signal != 0) ++deaths_by_signal_;
  const bool will_recur = status.signal == 0 || deaths_by_signal_ >= deaths_before_ready_max;
  if (!any_was_ready_ && will_recur) {
    if (status.signal != 0) log_.error("giving up: no server lived until it was ready");
    exit_status_ = status.code == 0 ? 1 : status.code;
    return request_stop();
  }
  restart_server(server);
}

void Supervisor::restart_server(const Server& ended) {
  const Duration ready_for = ended.ready_at ? loop_.now() - *ended.ready_at : Duration::zero();
  const auto when = restarts_.ended(loop_.now(), ready_for);
  CHECK(when.has_value());  // It never gives up.
  if (*when > loop_.now()) {
    log_.warn("server dies again and again", {{"next_start_in", *when - loop_.now()}});
    gate_.spawn(start_server_at(*when));
    return;
  }
  if (auto started = start_server(Role::serving, program_.fd()); !started) {
    log_.error("server does not start", {{"reason", started.error().detail}});
    gate_.spawn(start_server_at(loop_.now() + server_restarts.pause_max));
  }
}

Task<void> Supervisor::start_server_at(Instant when) {
  while (true) {
    if (co_await ending_.wait(Deadline::at(when))) co_return;
    if (is_stopping_ || serving() != nullptr) co_return;
    auto started = start_server(Role::serving, program_.fd());
    if (started) co_return;
    log_.error("server does not start", {{"reason", started.error().detail}});
    when = loop_.now() + server_restarts.pause_max;
  }
}

Task<void> Supervisor::enforce_drain(uint64_t number) {
  if (co_await ending_.wait(Deadline::after(loop_.now(), options_.drain + drain_slack))) co_return;
  Server* server = find_server(number);
  if (server == nullptr) co_return;
  log_.warn("server did not drain in time", {{"pid", server->child.pid()}});
  server->child.signal(SIGKILL);
}

Supervisor::Server* Supervisor::find_server(uint64_t number) {
  const auto found = servers_.find(number);
  return found == servers_.end() ? nullptr : found->second.get();
}

// Not one that has ended and only waits to be forgotten.
Supervisor::Server* Supervisor::serving() {
  for (const auto& [number, server] : servers_) {
    if (server->role == Role::serving && !server->child.status()) return server.get();
  }
  return nullptr;
}

void Supervisor::broadcast(const Notice& notice) {
  const std::string text = encode(notice);
  for (const auto& [number, server] : servers_) server->link.send(text);
}

void Supervisor::answer(Server& server, Answer reply, std::span<const int> descriptors) {
  server.link.send(encode(Notice(std::move(reply))), descriptors);
}

void Supervisor::answer(uint64_t server, Answer reply) {
  if (Server* its = find_server(server)) answer(*its, std::move(reply));
}

void Supervisor::replica_ended(const ReplicaRecord& replica, const ExitStatus& status,
                               Duration ran) {
  const std::string name = replica.name();
  const std::string how = to_string(status);
  log_.info("replica ended",
            {{"replica", name}, {"pid", replica.pid}, {"status", how}, {"ran", ran}});
  broadcast(ReplicaExited{.replica = replica, .status = status, .ran = ran});
}

void Supervisor::guard_lost() {
  has_lost_guard_ = true;
  log_.warn("guard of a replica was killed: its processes are ended");
  reap_orphans();
}

// ---- The end

void Supervisor::request_stop() {
  if (is_stopping_) {
    is_urgent_ = true;
    changed_.set();
    return;
  }
  is_stopping_ = true;
  log_.info("stopping");
  [[maybe_unused]] const auto told = service_manager_.stopping();
  changed_.set();
  gate_.spawn(stop_all());
}

Task<void> Supervisor::stop_all() {
  co_await stop_servers();
  const Duration grace = is_urgent_ ? urgent_grace : options_.replica_grace;
  replicas_.stop_all(grace);
  const Instant give_up_at = loop_.now() + grace + after_kill;
  while (!replicas_.all().empty() && loop_.now() < give_up_at) {
    // A second TERM may still come; guards take the nearer KILL.
    const Duration look_every = 50ms;
    auto gone = co_await replicas_.gone(Deadline::after(loop_.now(), look_every));
    if (!gone && is_urgent_) replicas_.stop_all(urgent_grace);
  }
  [[maybe_unused]] const auto all_gone = co_await replicas_.gone(Deadline::after(loop_.now(), 1s));
  listeners_.remove_files();
  log_.info("stopped");
  ending_.set();
  signals_->interrupt();
}

Task<void> Supervisor::stop_servers() {
  for (const auto& [number, server] : servers_) {
    server->link.send(encode(Drain{.within = options_.drain}));
    if (server->role == Role::candidate) server->child.signal(SIGKILL);
  }
  const Deadline deadline = Deadline::after(loop_.now(), options_.drain + drain_slack);
  while (!servers_.empty() && !is_urgent_ && !deadline.has_passed(loop_.now())) {
    changed_.reset();
    [[maybe_unused]] const auto woken = co_await changed_.wait(deadline);
  }
  for (const auto& [number, server] : servers_) server->child.signal(SIGKILL);
  while (!servers_.empty()) {
    changed_.reset();
    [[maybe_unused]] const auto woken = co_await changed_.wait(Deadline::never());
  }
}

}  // namespace spillway::deploy
