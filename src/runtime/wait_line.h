// runtime/wait_line.h: waiting, on any core, for a grant that is given in order of arrival.
#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"

namespace spillway::runtime {

// First come, first served over all cores. Lives beside what it waits for, under the same lock
// (a Guarded<State> whose State has `WaitLine<Grant, Ask>& line()`): whoever frees something calls
// `grant_next` with that lock held and hands the thing over, so a newcomer never overtakes and
// nothing is lost between a time-out and a grant. Its length is bounded by who joins.
template <class Grant, class Ask>
class WaitLine {
 public:
  // A place in the line; lies in the waiting frame, inside a LineWait.
  class Place : public ListLink {
   public:
    Place(Loop& loop, Waiter& waiter, Ask ask)
        : loop_(loop), waiter_(waiter), ask_(std::move(ask)) {}
    Loop& loop() { return loop_; }
    std::optional<Grant>& grant() { return grant_; }

   private:
    friend class WaitLine;
    Loop& loop_;
    Waiter& waiter_;
    const Ask ask_;
    std::optional<Grant> grant_;
  };

  size_t length() const { return length_; }
  void join(Place& place) {
    places_.push_back(place);
    ++length_;
  }
  void leave(Place& place) {
    place.unlink();
    --length_;
  }
  // `make` gives something for what a waiter asks, or nothing: then the next in line is tried, for
  // what one waits for may be busy while another's is free. True if something was handed over.
  template <class Make>
  bool grant_next(Make&& make) {
    int tried = 0;
    for (Place* place = places_.first(); place != nullptr && tried < tried_max;
         place = places_.next(*place), ++tried) {
      place->grant_ = make(place->ask_);
      if (!place->grant_) continue;
      leave(*place);
      // The waiting frame stays until this mail: it sees the grant and no longer times out.
      place->loop_.post([&waiter = place->waiter_] { waiter.resume(); });
      return true;
    }
    return false;
  }

 private:
  static constexpr int tried_max = 16;  // Under the lock: a bounded look.
  IntrusiveList<Place> places_;
  size_t length_ = 0;
};

// Make one, join the line with `place()` under the lock, then co_await it: the grant,
// deadline_exceeded, or cancelled by interrupt(). It must be awaited once it has joined.
template <class Guard, class Grant, class Ask>
class LineWait final : public Waiter, public Timer, public Interruptible {
 public:
  LineWait(Guard& guard, Loop& loop, Deadline deadline, Ask ask)
      : guard_(guard), place_(loop, *this, std::move(ask)), deadline_(deadline) {}

  typename WaitLine<Grant, Ask>::Place& place() { return place_; }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    suspend(handle);
    place_.loop().arm(*this, deadline_.when());
  }
  Result<Grant> await_resume() {
    place_.loop().disarm(*this);
    if (place_.grant()) return std::move(*place_.grant());
    if (why_left_ == Error::Code::cancelled) return fail(*why_left_, "gave up its turn");
    return fail(Error::Code::deadline_exceeded, "waited in the queue for too long");
  }
  void interrupt() override { leave(Error::Code::cancelled); }

 private:
  void on_timer(Instant) override { leave(Error::Code::deadline_exceeded); }
  void leave(Error::Code why) {
    if (why_left_) return;
    const bool left = guard_.with([this](auto& state) {
      if (place_.grant()) return false;  // Its mail is on the way.
      state.line().leave(place_);
      return true;
    });
    if (!left) return;
    why_left_ = why;
    place_.loop().schedule(*this);
  }

  Guard& guard_;
  typename WaitLine<Grant, Ask>::Place place_;
  Deadline deadline_;
  std::optional<Error::Code> why_left_;
};

}  // namespace spillway::runtime
