// runtime/signals.h: what each signal does, and signals as something a coroutine waits for.
#pragma once

#include <csignal>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "runtime/descriptor.h"
#include "runtime/task.h"

namespace spillway::runtime {

struct SignalMeaning {
  int number;
  std::string_view name;     // Without "SIG".
  std::string_view meaning;  // For `--help` and the manual.
};

// Everything that we catch. SIGKILL and SIGSTOP are nobody's; others keep the system's default.
std::span<const SignalMeaning> signal_table();
// "TERM" -> SIGTERM; 0 if it is not in the table.
int signal_number(std::string_view name);

// Receives the signals of the table through the loop, in place of handlers. One per process, one
// core; made before the first thread, so that every thread has them blocked.
class Signals {
 public:
  // Blocks the table's signals and ignores SIGPIPE. Error: overloaded.
  static Result<Signals> open(Loop& loop);

  // The next one; several of a kind that arrive at once are one. Errors: deadline_exceeded,
  // cancelled (by interrupt).
  Task<Result<int>> next(Deadline deadline);
  void interrupt() { descriptor_.interrupt_reader(); }

 private:
  explicit Signals(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  Descriptor descriptor_;
};

}  // namespace spillway::runtime
