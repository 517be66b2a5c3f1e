// deploy/guard.cc: the guard's life: start the replica, poll, end whatever is left.
#include "deploy/guard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>

#include "base/ascii.h"
#include "runtime/file.h"
#include "runtime/process_tree.h"

namespace spillway::deploy {
namespace {

using runtime::ExitStatus;

constexpr Duration look_again_every = 10ms;  // While descendants are being killed.
constexpr Duration unkillable_after = 30s;   // Stuck in the kernel: nobody can end those.
constexpr int control_fd = 3;

Instant now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return Instant::from_nanoseconds(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

// The guard's copy of the supervisor's command line gets its own words, so that `ps` tells them
// apart and nobody ends guards by the supervisor's name. Fields 48 and 49 of proc(5)'s stat.
void set_title(std::string_view title) {
  const auto stat = runtime::read_file_blocking("/proc/self/stat", 4096);
  ::prctl(PR_SET_NAME, "spillway-guard");
  if (!stat) return;
  std::string_view rest = std::string_view(*stat).substr(stat->rfind(')') + 2);
  for (int field = 3; field < 48; ++field) rest.remove_prefix(rest.find(' ') + 1);
  const auto begin = parse_decimal<uintptr_t>(rest.substr(0, rest.find(' ')));
  rest.remove_prefix(rest.find(' ') + 1);
  const auto end = parse_decimal<uintptr_t>(rest.substr(0, rest.find(' ')));
  if (!begin || !end || *end <= *begin) return;
  // The kernel says where as a number: NOLINTNEXTLINE(performance-no-int-to-ptr)
  auto* memory = reinterpret_cast<char*>(*begin);
  const size_t size = *end - *begin;
  std::memset(memory, 0, size);
  std::memcpy(memory, title.data(), std::min(title.size(), size - 1));
}

class GuardLoop {
 public:
  GuardLoop(const GuardOptions& options, int signals) : options_(options), signals_(signals) {}

  void run();

 private:
  bool start();
  void tell(const GuardReport& report);
  void wait();
  void hear();
  void reap();
  void end_all(Duration grace);
  bool act_on_what_is_left();

  const GuardOptions& options_;
  const int signals_;
  pid_t replica_ = 0;
  bool replica_runs_ = false;
  bool supervisor_is_there_ = true;
  std::optional<Instant> kill_at_;  // Set once TERM has been sent.
};

void GuardLoop::tell(const GuardReport& report) {
  const std::string text = encode(report);
  ::send(control_fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool GuardLoop::start() {
  runtime::ChildOptions replica = options_.replica;
  replica.own_process_group = true;
  replica.parent_death_signal = SIGKILL;  // Should the guard itself be killed.
  auto pid = runtime::spawn_process(replica);
  if (!pid) {
    tell(GuardFailed{std::move(pid).error()});
    return false;
  }
  replica_ = *pid;
  replica_runs_ = true;
  tell(GuardStarted{replica_});
  return true;
}

void GuardLoop::run() {
  if (!start()) return;
  // What only the replica needs open (its pipes) must end with the replica.
  ::syscall(SYS_close_range, static_cast<unsigned>(signals_) + 1, ~0U, 0U);
  do {
    wait();
  } while (act_on_what_is_left());
}

void GuardLoop::wait() {
  pollfd polled[2] = {
      {.fd = signals_, .events = POLLIN, .revents = 0},
      {.fd = supervisor_is_there_ ? control_fd : -1, .events = POLLIN, .revents = 0}};
  int timeout = -1;
  if (kill_at_) {
    const Duration left = std::max(*kill_at_ - now(), look_again_every);
    timeout = static_cast<int>(std::min<int64_t>(left / 1ms, 1000)) + 1;
  }
  ::poll(polled, 2, timeout);
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
  }
  if (polled[1].revents != 0) hear();
  reap();
}

void GuardLoop::hear() {
  char bytes[64];
  const ssize_t count = ::recv(control_fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    supervisor_is_there_ = false;
    end_all(options_.grace);
    return;
  }
  std::string_view text(bytes, static_cast<size_t>(count));
  if (!text.starts_with("stop ")) return;
  const auto milliseconds = parse_decimal<uint32_t>(text.substr(5));
  end_all(milliseconds ? std::chrono::milliseconds(*milliseconds) : options_.grace);
}

void GuardLoop::reap() {
  int status = 0;
  pid_t pid = 0;
  while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != replica_) continue;
    replica_runs_ = false;
    tell(ReplicaEnded{WIFSIGNALED(status) ? ExitStatus{.signal = WTERMSIG(status)}
                                          : ExitStatus{.code = WEXITSTATUS(status)}});
    end_all(options_.grace);
  }
}

// TERM once to each; a later call can only bring KILL nearer.
void GuardLoop::end_all(Duration grace) {
  const Instant kill_at = now() + grace;
  if (kill_at_) {
    kill_at_ = std::min(*kill_at_, kill_at);
    return;
  }
  kill_at_ = kill_at;
  for (const pid_t pid : runtime::descendants_of(::getpid())) ::kill(pid, SIGTERM);
}

// False once nothing is left. New descendants may appear while we look: the next look finds them.
bool GuardLoop::act_on_what_is_left() {
  if (!kill_at_) return true;
  const auto left = runtime::descendants_of(::getpid());
  if (left.empty() && !replica_runs_) return false;
  if (now() < *kill_at_) return true;
  for (const pid_t pid : left) ::kill(pid, SIGKILL);
  return now() < *kill_at_ + unkillable_after;
}

[[noreturn]] void run_guard(const GuardOptions& options, int socket) {
  ::setsid();  // A signal to the supervisor's group or terminal is not meant for us.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &by_default, nullptr);  // Ignored, children would leave no status.
  set_title("spillway: guard of " + options.name);

  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  // The socket becomes 3 and the signalfd 4; the replica's pipes are out of the way above.
  GuardOptions moved = options;
  for (auto& mapped : moved.replica.descriptors) {
    mapped.ours = ::fcntl(mapped.ours, F_DUPFD_CLOEXEC, 16);
  }
  const int high = ::fcntl(socket, F_DUPFD_CLOEXEC, 16);
  ::dup3(high, control_fd, O_CLOEXEC);
  ::close(high);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= 2; ++standard) ::dup2(null, standard);
  const int some = ::signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
  const int signals = control_fd + 1;
  ::dup3(some, signals, O_CLOEXEC);
  GuardLoop(moved, signals).run();
  ::_exit(0);
}

Result<Guard> adopt_guard(runtime::Loop& loop, pid_t pid, int socket) {
  TRY(message_socket, runtime::MessageSocket::adopt(loop, socket));
  TRY(process, runtime::ChildProcess::adopt(loop, pid));
  return Guard{.process = std::move(process), .socket = std::move(message_socket)};
}

}  // namespace

Result<Guard> start_guard(runtime::Loop& loop, const GuardOptions& options) {
  TRY(ends, runtime::MessageSocket::make_pair());
  const pid_t pid = ::fork();
  if (pid == 0) run_guard(options, ends[1].fd());
  if (pid < 0) return fail(system_error(errno, "fork a guard for " + options.name));
  return adopt_guard(loop, pid, ends[0].release());
}

std::string encode(const GuardReport& report) {
  if (const auto* started = std::get_if<GuardStarted>(&report)) {
    return fmt::format("started {}", started->replica);
  }
  if (const auto* ended = std::get_if<ReplicaEnded>(&report)) {
    return fmt::format("ended {} {}", ended->status.code, ended->status.signal);
  }
  const Error& error = std::get<GuardFailed>(report).error;
  return fmt::format("failed {} {}", to_string(error.code), error.detail);
}

Result<GuardReport> decode_guard_report(std::string_view text) {
  const auto word = [&text] {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view result = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return result;
  };
  const std::string_view kind = word();
  if (kind == "failed") {
    const std::string_view code = word();
    Error error{.code = Error::Code::io, .detail = std::string(text)};
    for (const auto known : {Error::Code::not_found, Error::Code::permission,
                             Error::Code::overloaded, Error::Code::invalid}) {
      if (to_string(known) == code) error.code = known;
    }
    return GuardFailed{std::move(error)};
  }
  const auto first = parse_decimal<int>(word());
  if (kind == "started" && first) return GuardStarted{*first};
  const auto second = parse_decimal<int>(word());
  if (kind == "ended" && first && second) return ReplicaEnded{{.code = *first, .signal = *second}};
  return fail(Error::Code::protocol, "a guard said \"" + std::string(kind) + "\"");
}

std::string encode_guard_stop(Duration grace) { return fmt::format("stop {}", grace / 1ms); }

}  // namespace spillway::deploy
