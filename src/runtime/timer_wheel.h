// runtime/timer_wheel.h: many deadlines, each armed, moved and disarmed in constant time.
#pragma once

#include <array>
#include <cstdint>

#include "base/intrusive_list.h"
#include "base/time.h"

namespace spillway::runtime {

// A moment at which something is called. Owned by whoever waits; disarmed when destroyed.
class Timer : public ListLink {
 public:
  Timer() = default;
  bool is_armed() const { return wheel_ != nullptr; }
  Instant when() const { return when_; }

 protected:
  ~Timer();
  virtual void on_timer(Instant now) = 0;  // Disarmed by then; may be armed again inside.

 private:
  friend class TimerWheel;
  class TimerWheel* wheel_ = nullptr;
  Instant when_{};
  uint16_t slot_ = 0;  // level * slots + slot, while armed.
};

// Hierarchical timing wheel (Varghese and Lauck, 1987): 6 levels of 64 slots, ticks of 1 ms, so
// about 2 years; what lies beyond waits in the last level and is sorted again from there. A timer
// never fires early and at most one tick plus one turn of the loop late. One core.
class TimerWheel {
 public:
  explicit TimerWheel(Instant start);

  void arm(Timer& timer, Instant when);  // Moves an armed one.
  void disarm(Timer& timer);
  // No timer fires before this; Instant::max() if none is armed.
  Instant next() const;
  // Fires everything due, in order of ticks.
  void advance(Instant now);
  uint64_t armed() const { return armed_; }

 private:
  static constexpr int levels = 6;
  static constexpr int bits_per_level = 6;
  static constexpr int slots = 1 << bits_per_level;
  struct Expiry {
    int level;
    int slot;
    uint64_t tick;
  };

  bool next_expiry(Expiry& expiry) const;
  void insert(Timer& timer, uint64_t tick);
  uint64_t tick_after(Instant when) const;

  Instant start_;
  uint64_t elapsed_ = 0;  // Ticks that have been fired.
  uint64_t armed_ = 0;
  std::array<uint64_t, levels> occupied_{};  // Bit per slot that may hold timers.
  std::array<IntrusiveList<Timer>, levels * slots> lists_;
};

}  // namespace spillway::runtime
