// runtime/gate.h: counts the tasks of one purpose, refuses new ones and waits for the old.
#pragma once

#include <cstdint>

#include "runtime/event.h"
#include "runtime/task.h"

namespace spillway::runtime {

// Every spawned task belongs to a gate, and the gate outlives it: after `close` has ended nothing
// of the owner is in use. One core.
class Gate {
 public:
  explicit Gate(Loop& loop) : empty_(loop) { empty_.set(); }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate() { CHECK(count_ == 0); }

  // Runs `task` at once, up to its first suspension. False, and the task never runs, when closed.
  bool spawn(Task<void> task) {
    if (is_closed_) return false;
    if (count_++ == 0) empty_.reset();
    run(*this, std::move(task));
    return true;
  }
  // Refuses new tasks.
  void shut() { is_closed_ = true; }
  // shut(), then waits for the running ones. Error: deadline_exceeded, they still run then.
  Task<Result<void>> close(Deadline deadline) {
    shut();
    co_return co_await empty_.wait(deadline);
  }
  // Waits for the running ones without refusing new ones.
  auto drained(Deadline deadline) { return empty_.wait(deadline); }
  uint64_t count() const { return count_; }
  bool is_closed() const { return is_closed_; }

 private:
  static Detached run(Gate& gate, Task<void> task) {
    co_await task;
    if (--gate.count_ == 0) gate.empty_.set();
  }

  Event empty_;
  uint64_t count_ = 0;
  bool is_closed_ = false;
};

}  // namespace spillway::runtime
