// runtime/child_process.cc: fork, exec and pidfd.
#include "runtime/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace spillway::runtime {
namespace {

// What the child says about the step that failed, through a pipe that a successful exec closes.
struct StartFailure {
  char step[16];
  int error;
};

// Everything the child needs, made before fork: after it, only system calls are safe.
struct Prepared {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::vector<std::string> candidates;  // Paths to try in order.
  std::vector<int> duplicates;          // As many as descriptors; filled in by the child.
  int first_free = 3;                   // Above every number the child wants to have.
  int report = -1;                      // Write end of the pipe.
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

// The child's own PATH decides, as a shell would.
std::vector<std::string> candidates_of(const ChildOptions& options) {
  const std::string& program = options.arguments.front();
  if (program.find('/') != std::string::npos) return {program};
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string& variable : options.environment) {
    if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
  }
  std::vector<std::string> result;
  while (true) {
    const size_t end = std::min(path.find(':'), path.size());
    result.push_back(end == 0 ? "./" + program : std::string(path.substr(0, end)) + "/" + program);
    if (end == path.size()) return result;
    path.remove_prefix(end + 1);
  }
}

[[noreturn]] void give_up(const Prepared& prepared, const char* step, int error) {
  StartFailure failure{};
  std::strncpy(failure.step, step, sizeof failure.step - 1);
  failure.error = error;
  [[maybe_unused]] const ssize_t written = ::write(prepared.report, &failure, sizeof failure);
  ::_exit(127);
}

void reset_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &action, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Sources may have the numbers that others want: all are moved out of the way first.
void map_descriptors(const ChildOptions& options, Prepared& prepared) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) give_up(prepared, "/dev/null", errno);
  for (size_t i = 0; i < options.descriptors.size(); ++i) {
    const int copy = ::fcntl(options.descriptors[i].ours, F_DUPFD_CLOEXEC, prepared.first_free);
    if (copy < 0) give_up(prepared, "dup", errno);
    prepared.duplicates[i] = copy;
  }
  if (::dup2(null, 0) < 0) give_up(prepared, "dup2", errno);
  for (int standard = 1; standard <= 2; ++standard) {
    if (::fcntl(standard, F_GETFD) < 0) ::dup2(null, standard);
  }
  // From here on everything from 3 up ends with the exec, except what is placed after.
  ::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  for (size_t i = 0; i < options.descriptors.size(); ++i) {
    if (::dup2(prepared.duplicates[i], options.descriptors[i].theirs) < 0) {
      give_up(prepared, "dup2", errno);
    }
  }
}

// Raw calls: glibc's would lock and speak to threads that do not exist here.
void become(const Credentials& credentials, const Prepared& prepared) {
  if (::syscall(SYS_setgroups, credentials.groups.size(), credentials.groups.data()) != 0) {
    give_up(prepared, "setgroups", errno);
  }
  const gid_t group = credentials.group;
  if (::syscall(SYS_setresgid, group, group, group) != 0) give_up(prepared, "setgid", errno);
  const uid_t user = credentials.user;
  if (::syscall(SYS_setresuid, user, user, user) != 0) give_up(prepared, "setuid", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(prepared, "no_new_privs", errno);
}

[[noreturn]] void execute(const ChildOptions& options, const Prepared& prepared, int program_fd) {
  if (program_fd >= 0) {
    ::syscall(SYS_execveat, program_fd, "", prepared.arguments.data(), prepared.environment.data(),
              AT_EMPTY_PATH);
    give_up(prepared, "exec", errno);
  }
  int error = ENOENT;
  for (const std::string& path : prepared.candidates) {
    ::execve(path.c_str(), prepared.arguments.data(), prepared.environment.data());
    // A later directory may still have it; but that it was found and refused is worth telling.
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  static_cast<void>(options);
  give_up(prepared, "exec", error);
}

[[noreturn]] void run_child(const ChildOptions& options, Prepared& prepared, pid_t parent) {
  prepared.report = ::fcntl(prepared.report, F_DUPFD_CLOEXEC, prepared.first_free);
  int program_fd = options.program_fd;
  if (program_fd >= 0) program_fd = ::fcntl(program_fd, F_DUPFD_CLOEXEC, prepared.first_free);
  if (options.own_process_group) ::setpgid(0, 0);
  map_descriptors(options, prepared);
  if (options.descriptor_limit) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(*options.descriptor_limit, limit.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  if (options.credentials) become(*options.credentials, prepared);
  // After the change of user, which clears it.
  if (options.parent_death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal);
    if (::getppid() != parent) ::_exit(127);  // It ended before we asked.
  }
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) {
    give_up(prepared, "chdir", errno);
  }
  reset_signals();
  execute(options, prepared, program_fd);
}

Error start_error(const ChildOptions& options, const StartFailure& failure) {
  const std::string_view step(failure.step);
  if (step == "chdir") {
    return system_error(failure.error,
                        "start " + options.arguments.front() + ": directory " + options.directory);
  }
  return system_error(failure.error,
                      "start " + options.arguments.front() + ": " + std::string(step));
}

}  // namespace

std::string to_string(const ExitStatus& status) {
  if (status.signal == 0) return fmt::format("exit status {}", status.code);
  const char* name = ::sigabbrev_np(status.signal);
  return fmt::format("killed by SIG{} ({})", name == nullptr ? "?" : name, status.signal);
}

Result<pid_t> spawn_process(const ChildOptions& options) {
  CHECK(!options.arguments.empty());
  Prepared prepared{.arguments = pointers(options.arguments),
                    .environment = pointers(options.environment),
                    .candidates = candidates_of(options),
                    .duplicates = std::vector<int>(options.descriptors.size(), -1)};
  for (const auto& mapped : options.descriptors) {
    prepared.first_free = std::max(prepared.first_free, mapped.theirs + 1);
  }
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) return fail(system_error(errno, "pipe for a child"));
  FileHandle report_read(report[0]);
  FileHandle report_write(report[1]);
  prepared.report = report_write.fd();

  // Signals wait until the child has its own handlers: none of ours must run there.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) run_child(options, prepared, parent);
  const int fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return fail(system_error(fork_error, "fork " + options.arguments.front()));
  if (options.own_process_group) ::setpgid(pid, pid);  // Whoever is first; both must not be late.

  report_write.close();
  StartFailure failure{};
  ssize_t count = 0;
  do {
    count = ::read(report_read.fd(), &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return pid;
  ::waitpid(pid, nullptr, 0);
  return fail(start_error(options, failure));
}

Result<ChildProcess> ChildProcess::start(Loop& loop, const ChildOptions& options) {
  TRY(pid, spawn_process(options));
  auto child = adopt(loop, pid);
  if (!child) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return child;
}

Result<ChildProcess> ChildProcess::adopt(Loop& loop, pid_t pid) {
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));  // Is close-on-exec.
  if (pidfd < 0) return fail(system_error(errno, fmt::format("pidfd_open {}", pid)));
  TRY(descriptor, Descriptor::adopt(loop, pidfd));
  return ChildProcess(pid, std::move(descriptor));
}

Task<Result<ExitStatus>> ChildProcess::exited(Deadline deadline) {
  while (!status_) {
    CO_TRY_VOID(co_await pidfd_.wait_readable(deadline));
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG);
    if (result != 0 && errno != EINTR) {
      co_return fail(system_error(errno, fmt::format("wait for child {}", pid_)));
    }
    if (result == 0 && info.si_pid == pid_) {
      const bool left = info.si_code == CLD_EXITED;
      status_ = left ? ExitStatus{.code = info.si_status} : ExitStatus{.signal = info.si_status};
    } else {
      pidfd_.clear_readable();
    }
  }
  co_return *status_;
}

void ChildProcess::signal(int number) {
  if (!status_) ::syscall(SYS_pidfd_send_signal, pidfd_.fd(), number, nullptr, 0);
}

// Its group has its pid as long as it is not reaped, even if it has ended.
void ChildProcess::signal_group(int number) {
  if (!status_) ::kill(-pid_, number);
}

std::vector<std::string> inherited_environment() {
  constexpr std::string_view ours[] = {"NOTIFY_SOCKET=",  "LISTEN_FDS=",    "LISTEN_PID=",
                                       "LISTEN_FDNAMES=", "WATCHDOG_USEC=", "WATCHDOG_PID="};
  std::vector<std::string> result;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto starts = [text](std::string_view name) { return text.starts_with(name); };
    if (std::ranges::none_of(ours, starts)) result.emplace_back(text);
  }
  return result;
}

void set_variable(std::vector<std::string>& environment, std::string_view name,
                  std::string_view value) {
  const std::string prefix = std::string(name) + "=";
  std::erase_if(environment, [&](const std::string& text) { return text.starts_with(prefix); });
  environment.push_back(prefix + std::string(value));
}

}  // namespace spillway::runtime
