// runtime/signals.cc: the table of signals and a signalfd.
#include "runtime/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace spillway::runtime {
namespace {

constexpr std::array<SignalMeaning, 7> table{{
    {SIGTERM, "TERM",
     "Stops in order: no new connections, requests under way are finished up to the drain "
     "deadline, then the replicas are stopped. A second one stops at once."},
    {SIGINT, "INT", "As TERM (Ctrl-C)."},
    {SIGHUP, "HUP", "Reads the plan again and applies it whole, or refuses it whole."},
    {SIGUSR1, "USR1", "Opens the log files again, after they have been rotated."},
    {SIGUSR2, "USR2", "Upgrades to the program file that now lies where this one was started."},
    {SIGCHLD, "CHLD", "A process ended: it is reaped, and orphans of a replica are ended."},
    {SIGPIPE, "PIPE", "Ignored: a closed connection is an error of that connection alone."},
}};

}  // namespace

std::span<const SignalMeaning> signal_table() { return table; }

int signal_number(std::string_view name) {
  for (const SignalMeaning& entry : table) {
    if (entry.name == name) return entry.number;
  }
  return 0;
}

Result<Signals> Signals::open(Loop& loop) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const SignalMeaning& entry : table) {
    if (entry.number != SIGPIPE) ::sigaddset(&set, entry.number);
  }
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail(system_error(errno, "signalfd"));
  TRY(descriptor, Descriptor::adopt(loop, fd));
  return Signals(std::move(descriptor));
}

Task<Result<int>> Signals::next(Deadline deadline) {
  while (true) {
    CO_TRY_VOID(co_await descriptor_.wait_readable(deadline));
    signalfd_siginfo info{};
    const ssize_t count = ::read(descriptor_.fd(), &info, sizeof info);
    if (count == sizeof info) co_return static_cast<int>(info.ssi_signo);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno != EAGAIN) co_return fail(system_error(errno, "read signalfd"));
    descriptor_.clear_readable();
  }
}

}  // namespace spillway::runtime
