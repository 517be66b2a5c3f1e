// runtime/child_process.h: starts a program, learns of its end, and signals it without pid races.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "runtime/credentials.h"
#include "runtime/descriptor.h"
#include "runtime/file_handle.h"
#include "runtime/task.h"

namespace spillway::runtime {

// How a process ended: with an exit code, or by a signal.
struct ExitStatus {
  int code = 0;    // Meaningful if signal is 0.
  int signal = 0;  // 0: it left by itself.

  bool succeeded() const { return code == 0 && signal == 0; }
  bool operator==(const ExitStatus&) const = default;
};
std::string to_string(const ExitStatus& status);  // "exit status 3", "killed by SIGKILL (9)"

struct ChildOptions {
  // One descriptor of ours that the child has as number `theirs`; ours stays open here.
  struct Mapped {
    int ours;
    int theirs;
  };

  std::vector<std::string>
      arguments;        // Not empty. The first is looked up in PATH if it has no '/'.
  int program_fd = -1;  // Runs this file instead; arguments[0] is then just a name.
  std::vector<std::string> environment;  // All of it, as "NAME=value".
  std::string directory;                 // Empty: ours.
  std::vector<Mapped> descriptors;  // Besides 0, 1 and 2: stdin is /dev/null unless mapped, the
                                    // others are ours. Nothing else is inherited.
  bool own_process_group = true;
  std::optional<Credentials> credentials;    // Becomes this user, for good (no_new_privs).
  std::optional<uint64_t> descriptor_limit;  // The soft RLIMIT_NOFILE it starts with.
  int parent_death_signal = 0;               // Sent to it when our thread ends (prctl(2)).
};

// fork and exec with all signals unblocked and at their defaults. Blocks until the exec has
// happened, a few milliseconds. Nothing is left behind on error; its detail names the step that
// failed: not_found, permission, overloaded, invalid, io. The caller reaps the pid.
Result<pid_t> spawn_process(const ChildOptions& options);

// One child of this process, watched through a pidfd. Destroying it neither ends nor reaps the
// child. One core.
class ChildProcess {
 public:
  static Result<ChildProcess> start(Loop& loop, const ChildOptions& options);
  // A child that we have already, for example from before an exec of our own.
  static Result<ChildProcess> adopt(Loop& loop, pid_t pid);

  pid_t pid() const { return pid_; }
  // Reaps it and keeps the answer: may be awaited again. Errors: deadline_exceeded, cancelled.
  Task<Result<ExitStatus>> exited(Deadline deadline);
  const std::optional<ExitStatus>& status() const { return status_; }
  // A child that has ended is left alone: nobody else can be hit.
  void signal(int number);
  void signal_group(int number);
  void interrupt() { pidfd_.interrupt_reader(); }

 private:
  ChildProcess(pid_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  Descriptor pidfd_;
  std::optional<ExitStatus> status_;
};

// Our environment as a child would inherit it, without the variables meant for us alone (sd_notify
// and socket activation).
std::vector<std::string> inherited_environment();
// Sets NAME=value, replacing what was there.
void set_variable(std::vector<std::string>& environment, std::string_view name,
                  std::string_view value);

}  // namespace spillway::runtime
