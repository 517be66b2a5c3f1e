// runtime/event.h: something that happens once, or again and again, on one core.
#pragma once

#include <coroutine>
#include <optional>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "runtime/loop.h"

namespace spillway::runtime {

// Coroutines wait until it is set; it stays set until reset. One core. Waiting on an event that is
// set only at the end is also how a periodic task sleeps: it wakes early when asked to stop.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  bool is_set() const { return is_set_; }
  void set();
  void reset() { is_set_ = false; }
  // Error: deadline_exceeded.
  auto wait(Deadline deadline) { return Wait(*this, deadline); }

 private:
  class Wait final : public Waiter, public Timer {
   public:
    Wait(Event& event, Deadline deadline) : event_(event), deadline_(deadline) {}
    bool await_ready() const { return event_.is_set_; }
    void await_suspend(std::coroutine_handle<> handle);
    Result<void> await_resume();

   private:
    void on_timer(Instant now) override;
    Event& event_;
    Deadline deadline_;
    bool timed_out_ = false;
  };

  Loop& loop_;
  bool is_set_ = false;
  IntrusiveList<Waiter> waiters_;
};

// Lets `duration` pass.
inline auto sleep(Loop& loop, Duration duration) {
  struct Sleep final : Timer {
    Sleep(Loop& its_loop, Duration its_duration) : loop(its_loop), duration(its_duration) {}
    bool await_ready() const { return duration <= Duration::zero(); }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting = handle;
      loop.arm(*this, loop.now() + duration);
    }
    void await_resume() {}
    void on_timer(Instant) override { waiting.resume(); }

    Loop& loop;
    Duration duration;
    std::coroutine_handle<> waiting;
  };
  return Sleep(loop, duration);
}

// Goes on in the loop's next turn: a coroutine that never has to wait lets the others run.
inline auto next_turn(Loop& loop) {
  struct NextTurn final : Waiter {
    explicit NextTurn(Loop& its_loop) : loop(its_loop) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      suspend(handle);
      loop.schedule(*this);
    }
    void await_resume() {}

    Loop& loop;
  };
  return NextTurn(loop);
}

}  // namespace spillway::runtime
