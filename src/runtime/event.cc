// runtime/event.cc: waking the waiters of an event.
#include "runtime/event.h"

namespace spillway::runtime {

void Event::set() {
  is_set_ = true;
  while (Waiter* waiter = waiters_.pop_front()) loop_.schedule(*waiter);
}

void Event::Wait::await_suspend(std::coroutine_handle<> handle) {
  suspend(handle);
  event_.waiters_.push_back(*this);
  if (deadline_ != Deadline::never()) event_.loop_.arm(*this, deadline_.when());
}

void Event::Wait::on_timer(Instant) {
  // Set in the same turn: already scheduled, and the event wins.
  if (event_.is_set_) return;
  timed_out_ = true;
  Waiter::unlink();
  event_.loop_.schedule(*this);
}

Result<void> Event::Wait::await_resume() {
  event_.loop_.disarm(*this);
  if (timed_out_) return fail(Error::Code::deadline_exceeded, "nothing happened in time");
  return {};
}

}  // namespace spillway::runtime
