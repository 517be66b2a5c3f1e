// runtime/loop.h: one core's event loop: readiness, timers, mail and what runs next.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/intrusive_list.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/time.h"
#include "runtime/buffer_pool.h"
#include "runtime/driver.h"
#include "runtime/timer_wheel.h"

namespace spillway::runtime {

// A suspended coroutine that some event will let go on. Lies in the frame that waits.
class Waiter : public ListLink {
 public:
  void suspend(std::coroutine_handle<> handle) { handle_ = handle; }
  void resume() { handle_.resume(); }

 private:
  std::coroutine_handle<> handle_;
};

// One thread runs a loop; everything on it belongs to that core. Only post() and stop() may be
// called from elsewhere.
class Loop {
 public:
  // `core` numbers the loops of a process from 0. `seed` feeds random().
  Loop(std::unique_ptr<Driver> driver, uint32_t core, uint64_t seed);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // The clock, read once a turn: good to about the length of a turn.
  Instant now() const { return now_; }
  WallTime wall_now() { return driver_->wall_now(); }
  uint32_t core() const { return core_; }
  Random& random() { return random_; }
  BufferPool& buffers() { return buffers_; }
  Driver& driver() { return *driver_; }

  void run();  // Until stop().
  // One turn: waits no longer than `until`, then runs what is due. False once stopped.
  bool run_once(Instant until);
  void stop();  // Any thread.

  // Mail: runs `function` on this core, soon, in the order posted. Any thread.
  void post(std::move_only_function<void()> function);
  // Lets a waiter of this core go on after the current coroutine suspends. Never inline, so that
  // the caller's state is settled first.
  void schedule(Waiter& waiter) { ready_.push_back(waiter); }
  // The same for who begins something new: a few a turn, after all that is under way. What has been
  // begun is finished first, so little of it is in memory at once, and that little stays in the
  // caches.
  void schedule_newcomer(Waiter& waiter) { newcomers_.push_back(waiter); }

  void arm(Timer& timer, Instant when) { timers_.arm(timer, when); }
  void disarm(Timer& timer) { timers_.disarm(timer); }

  // Called by the driver once its wait is over, before it reports anything: whoever goes on reckons
  // from now, not from when the loop fell asleep.
  void on_woken(Instant now) { now_ = now; }
  // Called by the driver for each watch with news.
  void on_ready(Watch& watch, uint8_t readiness);
  // A watch whose descriptor is closed; freed at the end of the turn, when no event names it.
  void retire(std::unique_ptr<Watch> watch);

  uint64_t turns() const { return turns_; }
  uint64_t timers_armed() const { return timers_.armed(); }

 private:
  void run_ready();
  void run_newcomers();
  void run_mail();
  Instant wait_until(Instant until) const;

  std::unique_ptr<Driver> driver_;
  const uint32_t core_;
  Instant now_;
  Random random_;
  BufferPool buffers_;
  TimerWheel timers_;
  IntrusiveList<Waiter> ready_;
  IntrusiveList<Waiter> newcomers_;
  std::vector<std::unique_ptr<Watch>> retired_;
  Instant trim_at_;
  uint64_t turns_ = 0;

  Mutex mail_mutex_;
  std::vector<std::move_only_function<void()>> mail_ __attribute__((guarded_by(mail_mutex_)));
  std::vector<std::move_only_function<void()>> mail_running_;
  std::atomic<bool> mail_waiting_{false};
  std::atomic<bool> stopped_{false};
};

}  // namespace spillway::runtime
