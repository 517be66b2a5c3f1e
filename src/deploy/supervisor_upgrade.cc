// deploy/supervisor_upgrade.cc: to a new program with the same sockets, replicas and pid.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/ascii.h"
#include "deploy/supervisor.h"
#include "runtime/file.h"

namespace spillway::deploy {
namespace {

using runtime::FileHandle;
using runtime::Task;

constexpr Duration check_timeout = 30s;  // A check reads one plan.
constexpr Duration quiet_timeout = 15s;  // A start may take 10 s; servers read all the time.
constexpr Duration quiet_every = 5ms;
constexpr size_t state_bytes_max = size_t{4} << 20;  // About 300 bytes per replica.

void keep_across_exec(const std::vector<int>& descriptors, bool keep) {
  for (const int fd : descriptors) ::fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

// The service manager still speaks to us: the pid is the same.
std::vector<std::string> environment_of_upgrade(int state) {
  auto environment = runtime::inherited_environment();
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    if (const char* value = ::getenv(name)) runtime::set_variable(environment, name, value);
  }
  runtime::set_variable(environment, state_variable, std::to_string(state));
  return environment;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

}  // namespace

void Supervisor::request_upgrade(std::string program, std::optional<Asker> asker) {
  if (program.empty()) program = options_.program;
  const char* obstacle = is_stopping_    ? "everything is being stopped"
                         : is_upgrading_ ? "another upgrade is under way"
                                         : nullptr;
  if (obstacle == nullptr) {
    is_upgrading_ = true;
    gate_.spawn(upgrade(std::move(program), asker));
  } else if (asker) {
    answer(asker->server, {.id = asker->request,
                           .error = Error{.code = Error::Code::overloaded, .detail = obstacle}});
  }
}

// The new program proves itself before anything of the old one changes: first its checks, then a
// server of it that becomes ready. The supervisor itself comes last.
Task<void> Supervisor::upgrade(std::string program, std::optional<Asker> asker) {
  log_.info("upgrade begins", {{"program", program}});
  [[maybe_unused]] const auto told = service_manager_.reloading(loop_.now());
  FileHandle file(::open(program.c_str(), O_PATH | O_CLOEXEC));
  Result<void> outcome;
  if (!file) outcome = fail(system_error(errno, "open " + program));
  if (outcome) outcome = co_await check_program(file.fd());
  uint64_t candidate = 0;
  if (outcome) {
    auto started = co_await start_candidate(file.fd());
    if (started) candidate = (*started)->number;
    if (!started) outcome = fail(std::move(started).error());
  }
  if (!outcome) {
    log_.error("upgrade refused: everything stays as it is", {{"reason", outcome.error().detail}});
    [[maybe_unused]] const auto ready = service_manager_.ready("serving; an upgrade was refused");
    if (asker) answer(asker->server, {.id = asker->request, .error = outcome.error()});
    is_upgrading_ = false;
    co_return;
  }
  if (asker) answer(asker->server, {.id = asker->request});
  co_await switch_to(candidate);
  program_ = std::move(file);
  if (!is_stopping_) execute(program_.fd());
  is_upgrading_ = false;
}

Task<Result<void>> Supervisor::check_program(int program) {
  for (const auto& check : options_.upgrade_checks) {
    std::vector<std::string> arguments{options_.arguments.front()};
    arguments.insert(arguments.end(), check.begin(), check.end());
    CO_TRY(child,
           runtime::ChildProcess::start(loop_, {.arguments = std::move(arguments),
                                                .program_fd = program,
                                                .environment = runtime::inherited_environment()}));
    other_children_.push_back(child.pid());
    auto status = co_await child.exited(Deadline::after(loop_.now(), check_timeout));
    if (!status) {
      child.signal_group(SIGKILL);
      [[maybe_unused]] const auto ended = co_await child.exited(Deadline::never());
    }
    std::erase(other_children_, child.pid());
    if (!status || !status->succeeded()) {
      const std::string how = status ? to_string(*status) : "no end within 30 s";
      co_return fail(Error::Code::io, fmt::format("the new program's `{}` ended with: {}",
                                                  check.empty() ? "" : check.front(), how));
    }
  }
  co_return Result<void>{};
}

Task<Result<Supervisor::Server*>> Supervisor::start_candidate(int program) {
  if (is_stopping_) co_return fail(Error::Code::cancelled, "everything is being stopped");
  CO_TRY(started, start_server(Role::candidate, program));
  const uint64_t number = started->number;
  const Deadline deadline = Deadline::after(loop_.now(), options_.ready_within);
  while (true) {
    Server* candidate = find_server(number);
    if (candidate == nullptr || candidate->child.status()) {
      co_return fail(Error::Code::io, "the new server ended before it was ready");
    }
    if (candidate->ready_at) co_return candidate;
    changed_.reset();
    if (auto woken = co_await changed_.wait(deadline); woken) continue;
    co_await kill_server(number);
    co_return fail(Error::Code::deadline_exceeded,
                   "the new server was not ready in time and was killed");
  }
}

Task<void> Supervisor::kill_server(uint64_t number) {
  if (Server* server = find_server(number)) server->child.signal(SIGKILL);
  while (find_server(number) != nullptr) {
    changed_.reset();
    [[maybe_unused]] const auto woken = co_await changed_.wait(Deadline::never());
  }
}

// Both accept from here until the old one has read its message: no connection finds nobody.
Task<void> Supervisor::switch_to(uint64_t candidate) {
  for (const auto& [number, server] : servers_) {
    if (number == candidate) {
      server->role = Role::serving;
      server->link.send(encode(TakeOver{}));
    } else if (server->role == Role::serving) {
      server->role = Role::draining;
      server->link.send(encode(Drain{.within = options_.drain}));
      gate_.spawn(enforce_drain(number));
    }
  }
  // What lies in the kernel's queues survives an exec; what lies in ours does not, and neither does
  // a start whose guard has not spoken yet.
  const Deadline deadline = Deadline::after(loop_.now(), quiet_timeout);
  while (!is_quiet() && !deadline.has_passed(loop_.now())) {
    co_await runtime::sleep(loop_, quiet_every);
  }
}

bool Supervisor::is_quiet() const {
  return !replicas_.is_starting() && std::ranges::all_of(servers_, [](const auto& entry) {
    return entry.second->link.is_flushed();
  });
}

std::string Supervisor::state() const {
  SupervisorState state{.next_replica = replicas_.next_number(),
                        .next_server = next_server_,
                        .other_children = other_children_,
                        .kept = kept_};
  for (const auto& held : listeners_.all()) {
    state.listeners.push_back({.at = held.at,
                               .bound = held.bound,
                               .is_activated = held.is_activated,
                               .sockets = descriptors_of(held)});
  }
  for (const auto& [number, held] : replicas_.all()) {
    state.replicas.push_back({.record = held->record,
                              .guard = held->guard.process.pid(),
                              .socket = held->guard.socket ? held->guard.socket.fd() : -1,
                              .output = held->output.fd(),
                              .errors = held->errors.fd(),
                              .has_ended = held->has_ended});
  }
  for (const auto& [number, server] : servers_) {
    if (server->child.status() || !server->link.is_open()) continue;
    state.servers.push_back({.number = number,
                             .pid = server->child.pid(),
                             .socket = server->link.fd(),
                             .is_serving = server->role == Role::serving});
  }
  return encode(state);
}

// Does not return if it works. If not, the old supervisor goes on with the new server.
void Supervisor::execute(int program) {
  const std::string text = state();
  const FileHandle memory(::memfd_create("spillway-state", 0));
  if (!memory || ::write(memory.fd(), text.data(), text.size()) != std::ssize(text)) {
    log_.error("the supervisor keeps its old program", {{"reason", "no memory for its state"}});
    return;
  }
  const auto environment = environment_of_upgrade(memory.fd());
  const auto arguments = pointers(options_.arguments);
  const auto variables = pointers(environment);

  const auto kept = decode_supervisor_state(text)->descriptors();
  keep_across_exec(kept, true);
  // The new program is to see the limits that we saw.
  rlimit ours{};
  ::getrlimit(RLIMIT_NOFILE, &ours);
  rlimit inherited = ours;
  inherited.rlim_cur =
      std::min<rlim_t>(options_.replica_descriptor_limit.value_or(ours.rlim_cur), ours.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &inherited);
  ::syscall(SYS_execveat, program, "", arguments.data(), variables.data(), AT_EMPTY_PATH);
  const Error error = system_error(errno, "exec");
  ::setrlimit(RLIMIT_NOFILE, &ours);
  keep_across_exec(kept, false);
  log_.error("the supervisor keeps its old program", {{"reason", error.detail}});
}

// False: this is a first start.
Result<bool> Supervisor::restore() {
  const char* variable = ::getenv(state_variable);
  if (variable == nullptr) return false;
  const auto fd = parse_decimal<int>(variable);
  ::unsetenv(state_variable);
  if (!fd) return fail(Error::Code::invalid, "SPILLWAY_STATE_FD is not a number");
  const FileHandle memory(*fd);
  TRY(text, runtime::read_file_blocking(fmt::format("/proc/self/fd/{}", *fd), state_bytes_max));
  TRY(state, decode_supervisor_state(text));
  keep_across_exec(state.descriptors(), false);
  replicas_.restore_next_number(state.next_replica);
  next_server_ = state.next_server;
  other_children_ = state.other_children;
  kept_ = std::move(state.kept);
  any_was_ready_ = true;
  for (const auto& listener : state.listeners) {
    ListenerTable::Held held{.at = listener.at,
                             .bound = listener.bound,
                             .sockets = {},
                             .is_activated = listener.is_activated};
    for (const int socket : listener.sockets) held.sockets.emplace_back(socket);
    listeners_.restore(std::move(held));
  }
  for (const auto& replica : state.replicas) TRY_VOID(restore_replica(replica));
  for (const auto& server : state.servers) TRY_VOID(restore_server(server));
  if (serving() == nullptr) TRY_VOID(start_server(Role::serving, program_.fd()));
  log_.info("upgrade done: this is the new program", {{"servers", state.servers.size()}});
  [[maybe_unused]] const auto told = service_manager_.ready("serving");
  return true;
}

Result<void> Supervisor::restore_replica(const SupervisorState::Replica& replica) {
  TRY(process, runtime::ChildProcess::adopt(loop_, replica.guard));
  runtime::MessageSocket socket;
  if (replica.socket >= 0) {
    TRY(adopted, runtime::MessageSocket::adopt(loop_, replica.socket));
    socket = std::move(adopted);
  }
  replicas_.restore({.record = replica.record,
                     .guard = {.process = std::move(process), .socket = std::move(socket)},
                     .output = FileHandle(replica.output),
                     .errors = FileHandle(replica.errors),
                     .has_ended = replica.has_ended});
  return {};
}

Result<void> Supervisor::restore_server(const SupervisorState::Server& server) {
  TRY(child, runtime::ChildProcess::adopt(loop_, server.pid));
  TRY(socket, runtime::MessageSocket::adopt(loop_, server.socket));
  const Role role = server.is_serving ? Role::serving : Role::draining;
  auto kept =
      std::make_unique<Server>(server.number, role, loop_, std::move(child), std::move(socket));
  if (server.is_serving) kept->ready_at = loop_.now();
  add_server(std::move(kept));
  return {};
}

}  // namespace spillway::deploy
