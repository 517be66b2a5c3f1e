// runtime/gate.h: counts the tasks of one purpose, refuses new ones and waits for the old.
#pragma once

#include <cstdint>

#include "runtime/task.h"
#include "runtime/users.h"

namespace spillway::runtime {

// Every spawned task belongs to a gate, and the gate outlives it: after `close` has ended nothing
// of the owner is in use. One core.
class Gate {
 public:
  explicit Gate(Loop& loop) : tasks_(loop) {}
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  // Runs `task` at once, up to its first suspension. False, and the task never runs, when closed.
  bool spawn(Task<void> task) {
    if (is_closed_) return false;
    tasks_.add();
    run(*this, std::move(task));
    return true;
  }
  // Refuses new tasks.
  void shut() { is_closed_ = true; }
  // shut(), then waits for the running ones. Error: deadline_exceeded, they still run then.
  Task<Result<void>> close(Deadline deadline) {
    shut();
    co_return co_await tasks_.gone(deadline);
  }
  // Waits for the running ones without refusing new ones.
  auto drained(Deadline deadline) { return tasks_.gone(deadline); }
  uint64_t count() const { return tasks_.count(); }
  bool is_closed() const { return is_closed_; }

 private:
  static Detached run(Gate& gate, Task<void> task) {
    co_await task;
    gate.tasks_.remove();
  }

  Users tasks_;
  bool is_closed_ = false;
};

}  // namespace spillway::runtime
