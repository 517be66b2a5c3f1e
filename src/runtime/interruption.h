// runtime/interruption.h: ends, from outside, whatever a piece of work is waiting for.
#pragma once

#include <utility>

#include "base/intrusive_list.h"

namespace spillway::runtime {

// A wait that somebody else on the same core can end, with `cancelled`.
class Interruptible {
 public:
  virtual void interrupt() = 0;

 protected:
  ~Interruptible() = default;
};

// Belongs to one piece of work, which says here what it waits for, step by step. Once interrupted
// it stays so: a wait that has not begun yet is refused by whoever looks here first. One core.
class Interruption : public ListLink {
 public:
  void waits_for(Interruptible& wait) { wait_ = &wait; }
  void waits_no_more() { wait_ = nullptr; }
  void interrupt() {
    is_interrupted_ = true;
    if (wait_ != nullptr) wait_->interrupt();
  }
  bool is_interrupted() const { return is_interrupted_; }

 private:
  Interruptible* wait_ = nullptr;
  bool is_interrupted_ = false;
};

// While it lives, `interruption`, which may be null, ends `wait`. Lies in the frame that waits.
class InterruptionScope {
 public:
  InterruptionScope(Interruption* interruption, Interruptible& wait) : interruption_(interruption) {
    if (interruption_ != nullptr) interruption_->waits_for(wait);
  }
  InterruptionScope(const InterruptionScope&) = delete;
  InterruptionScope& operator=(const InterruptionScope&) = delete;
  ~InterruptionScope() {
    if (interruption_ != nullptr) interruption_->waits_no_more();
  }

 private:
  Interruption* const interruption_;
};

// The same for a wait that `end()` ends.
template <class End>
class OnInterruption final : public Interruptible {
 public:
  OnInterruption(Interruption* interruption, End end)
      : end_(std::move(end)), scope_(interruption, *this) {}
  void interrupt() override { end_(); }

 private:
  End end_;
  InterruptionScope scope_;
};

}  // namespace spillway::runtime
