// deploy/replica_table.cc: starting a replica under its guard and following it to its end.
#include "deploy/replica_table.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "runtime/listener.h"

namespace spillway::deploy {
namespace {

using runtime::FileHandle;
using runtime::Task;

constexpr Duration start_timeout = 10s;  // For the guard's first words: a fork and an exec.
constexpr int port_attempts_max = 64;    // The kernel picks at random among 28,000.
constexpr int pipe_bytes = 256 << 10;    // Bridges a restart of the server for a chatty replica.

Result<void> make_pipe(FileHandle& read_end, FileHandle& write_end) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return fail(system_error(errno, "pipe for a replica"));
  read_end = FileHandle(fds[0]);
  write_end = FileHandle(fds[1]);
  ::fcntl(fds[0], F_SETPIPE_SZ, pipe_bytes);  // Smaller is fine where the system's bound is.
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);       // Of this end only: the replica's blocks.
  return {};
}

// Bound on every address and let go at once: whoever listens there later finds it free.
Result<uint16_t> some_free_port() {
  int family = AF_INET6;
  FileHandle probe(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any6{};
  any6.sin6_family = AF_INET6;
  const bool bound6 =
      probe && ::bind(probe.fd(), reinterpret_cast<sockaddr*>(&any6), sizeof any6) == 0;
  if (!bound6) {
    probe = FileHandle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in any4{};
    any4.sin_family = AF_INET;
    if (!probe || ::bind(probe.fd(), reinterpret_cast<sockaddr*>(&any4), sizeof any4) != 0) {
      return fail(system_error(errno, "find a free port for a replica"));
    }
  }
  TRY(bound, runtime::bound_address(probe.fd()));
  return bound.port;
}

}  // namespace

ReplicaTable::ReplicaTable(runtime::Loop& loop, ReplicaEndObserver& observer,
                           std::optional<std::string> default_user,
                           std::optional<uint64_t> descriptor_limit)
    : loop_(loop),
      observer_(observer),
      default_user_(std::move(default_user)),
      descriptor_limit_(descriptor_limit),
      changed_(loop),
      gate_(loop) {}

Result<ReplicaTable::Pipes> ReplicaTable::make_pipes() {
  Pipes pipes;
  TRY_VOID(make_pipe(pipes.output_read, pipes.output_write));
  TRY_VOID(make_pipe(pipes.errors_read, pipes.errors_write));
  return pipes;
}

// A replica that has its port but does not listen yet would not be noticed by the kernel.
Result<uint16_t> ReplicaTable::free_port() const {
  for (int attempt = 0; attempt < port_attempts_max; ++attempt) {
    TRY(port, some_free_port());
    const bool is_taken = std::ranges::any_of(
        held_, [port](const auto& entry) { return entry.second->record.port == port; });
    if (!is_taken) return port;
  }
  return fail(Error::Code::overloaded, "no free port was found for a replica");
}

Result<GuardOptions> ReplicaTable::guard_options(const StartReplica& request, uint16_t port,
                                                 const Pipes& pipes) const {
  GuardOptions options{.name = fmt::format("{}.{}", request.service, request.index),
                       .grace = request.grace};
  auto& environment = options.replica.environment = runtime::inherited_environment();
  // Secrets between us and our server are not the application's.
  std::erase_if(environment,
                [](const std::string& entry) { return entry.starts_with("SPILLWAY_CONTROL_"); });
  const std::string user = request.user.empty() ? default_user_.value_or("") : request.user;
  if (!user.empty()) {
    TRY(credentials, runtime::find_user(user));
    if (credentials.user != ::getuid()) options.replica.credentials = credentials;
    runtime::set_variable(environment, "HOME", credentials.home);
    runtime::set_variable(environment, "USER", user);
    runtime::set_variable(environment, "LOGNAME", user);
  }
  runtime::set_variable(environment, "HOST", "127.0.0.1");
  for (const auto& [name, value] : request.environment) {
    runtime::set_variable(environment, name, value);
  }
  runtime::set_variable(environment, "PORT", std::to_string(port));
  runtime::set_variable(environment, "SPILLWAY_REPLICA", options.name);
  runtime::set_variable(environment, "SPILLWAY_SERVICE", request.service);
  options.replica.arguments = request.arguments;
  options.replica.directory = request.directory;
  options.replica.descriptors = {{pipes.output_write.fd(), 1}, {pipes.errors_write.fd(), 2}};
  options.replica.descriptor_limit = descriptor_limit_;
  return options;
}

Result<ReplicaTable::Held*> ReplicaTable::launch(const StartReplica& request) {
  if (request.arguments.empty()) return fail(Error::Code::invalid, "the command is empty");
  if (held_.size() >= replicas_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("{} replicas run already; more are not started", replicas_max));
  }
  TRY(port, free_port());
  TRY(pipes, make_pipes());
  TRY(options, guard_options(request, port, pipes));
  TRY(guard, start_guard(loop_, options));
  const uint64_t number = next_number_++;
  auto held = std::make_unique<Held>(Held{.record = {.number = number,
                                                     .service = request.service,
                                                     .index = request.index,
                                                     .port = port,
                                                     .started = loop_.wall_now(),
                                                     .spec = request.spec},
                                          .guard = std::move(guard),
                                          .output = std::move(pipes.output_read),
                                          .errors = std::move(pipes.errors_read)});
  return (held_[number] = std::move(held)).get();
}

Task<Result<void>> ReplicaTable::await_start(Held& held) {
  const Deadline deadline = Deadline::after(loop_.now(), start_timeout);
  CO_TRY(message, co_await held.guard.socket.receive(deadline));
  CO_TRY(report, decode_guard_report(message.bytes));
  if (auto* failed = std::get_if<GuardFailed>(&report)) co_return fail(std::move(failed->error));
  const auto* started = std::get_if<GuardStarted>(&report);
  if (started == nullptr) co_return fail(Error::Code::protocol, "a guard began with the end");
  held.record.pid = started->replica;
  co_return Result<void>{};
}

Task<Result<const ReplicaTable::Held*>> ReplicaTable::start(StartReplica request) {
  CO_TRY(held, launch(request));
  ++starting_;
  auto started = co_await await_start(*held);
  --starting_;
  if (!started) {
    held->has_ended = true;  // Nobody was told of it.
    held->guard.socket.close();
    gate_.spawn(follow(*held));
    co_return fail(std::move(started).error());
  }
  // In the next turn: the caller tells of the start before anybody can hear of the end.
  loop_.post([this, held] { gate_.spawn(follow(*held)); });
  co_return held;
}

void ReplicaTable::end(Held& held, const runtime::ExitStatus& status) {
  if (std::exchange(held.has_ended, true)) return;
  observer_.replica_ended(held.record, status, loop_.wall_now() - held.record.started);
}

Task<void> ReplicaTable::follow(Held& held) {
  while (!held.has_ended) {
    auto message = co_await held.guard.socket.receive(Deadline::never());
    if (!message) break;  // The guard is gone: killed, and the replica with it.
    const auto report = decode_guard_report(message->bytes);
    if (!report) continue;
    if (const auto* ended = std::get_if<ReplicaEnded>(&*report)) end(held, ended->status);
  }
  const auto exited = co_await held.guard.process.exited(Deadline::never());
  end(held, {.signal = SIGKILL});
  if (!exited || !exited->succeeded()) observer_.guard_lost();
  held_.erase(held.record.number);
  changed_.set();
}

Task<void> ReplicaTable::tell_stop(uint64_t number, Duration grace) {
  const auto found = held_.find(number);
  if (found == held_.end() || !found->second->guard.socket) co_return;
  // A few bytes into an empty socket never wait; so nothing can end the replica meanwhile.
  auto sent = co_await found->second->guard.socket.send(encode_guard_stop(grace), {},
                                                        Deadline::after(loop_.now(), 1s));
  static_cast<void>(sent);  // A guard that is gone has nothing to stop.
}

Result<void> ReplicaTable::stop(uint64_t number, Duration grace) {
  const auto found = held_.find(number);
  if (found == held_.end()) {
    return fail(Error::Code::not_found, fmt::format("there is no replica number {}", number));
  }
  gate_.spawn(tell_stop(number, grace));
  return {};
}

void ReplicaTable::stop_all(Duration grace) {
  std::vector<uint64_t> numbers;
  for (const auto& [number, held] : held_) numbers.push_back(number);
  for (const uint64_t number : numbers) gate_.spawn(tell_stop(number, grace));
}

Task<Result<void>> ReplicaTable::gone(Deadline deadline) {
  while (!held_.empty()) {
    changed_.reset();
    CO_TRY_VOID(co_await changed_.wait(deadline));
  }
  co_return co_await gate_.close(deadline);
}

bool ReplicaTable::is_guard(pid_t pid) const {
  return std::ranges::any_of(
      held_, [pid](const auto& entry) { return entry.second->guard.process.pid() == pid; });
}

void ReplicaTable::restore(Held held) {
  const uint64_t number = held.record.number;
  Held& kept = *(held_[number] = std::make_unique<Held>(std::move(held)));
  gate_.spawn(follow(kept));
}

}  // namespace spillway::deploy
