// runtime/news.h: waiting, on any core, for the next change of something that cores share.
#pragma once

#include <coroutine>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"

namespace spillway::runtime {

// Lies beside what is waited for, under the same lock (a Guarded<State> whose State has
// `News& news()`): whoever changes it calls `tell` with that lock held, and all who wait look
// again. Nothing is lost between a look and a wait, for both are made under the lock.
class News {
 public:
  // Lies in the waiting frame, inside a NewsWait.
  class Place : public ListLink {
   public:
    Place(Loop& loop, Waiter& waiter) : loop_(loop), waiter_(waiter) {}
    Loop& loop() { return loop_; }
    bool is_told() const { return is_told_; }

   private:
    friend class News;
    Loop& loop_;
    Waiter& waiter_;
    bool is_told_ = false;
  };

  void join(Place& place) { places_.push_back(place); }
  void tell() {
    while (Place* place = places_.pop_front()) {
      place->is_told_ = true;
      // The waiting frame stays until this mail: it sees that it was told and times out no more.
      place->loop_.post([&waiter = place->waiter_] { waiter.resume(); });
    }
  }

 private:
  IntrusiveList<Place> places_;
};

// Make one, join with `place()` under the lock that found nothing new, then co_await it: told,
// deadline_exceeded, or cancelled by interrupt(). It must be awaited once it has joined.
template <class Guard>
class NewsWait final : public Waiter, public Timer, public Interruptible {
 public:
  NewsWait(Guard& guard, Loop& loop, Deadline deadline)
      : guard_(guard), place_(loop, *this), deadline_(deadline) {}

  News::Place& place() { return place_; }

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    suspend(handle);
    place_.loop().arm(*this, deadline_.when());
  }
  Result<void> await_resume() {
    place_.loop().disarm(*this);
    if (!why_left_) return {};
    return fail(*why_left_,
                *why_left_ == Error::Code::cancelled ? "gave up waiting" : "waited for too long");
  }
  void interrupt() override { leave(Error::Code::cancelled); }

 private:
  void on_timer(Instant) override { leave(Error::Code::deadline_exceeded); }
  void leave(Error::Code why) {
    if (why_left_) return;
    const bool left = guard_.with([this](auto&) {
      if (place_.is_told()) return false;  // Its mail is on the way.
      place_.unlink();
      return true;
    });
    if (!left) return;
    why_left_ = why;
    place_.loop().schedule(*this);
  }

  Guard& guard_;
  News::Place place_;
  Deadline deadline_;
  std::optional<Error::Code> why_left_;
};

}  // namespace spillway::runtime
