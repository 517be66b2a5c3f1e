// upstream/circuit_breaker.h: leaves a failing endpoint alone for a while, then tries it once.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "upstream/config.h"
#include "upstream/rolling_window.h"

namespace spillway::upstream {

// Guards one endpoint and is owned by it. Reads no clock, never allocates, not thread-safe.
//
//   closed    -> open       when error_share of at least `requests` requests in 10 s failed
//   open      -> half_open  with the first request after `open` has passed: the trial
//   half_open -> closed     if the trial succeeds; back to open if it fails
//
// A trial that never ends (an event stream) lapses after `open`, and another may go.
class CircuitBreaker {
 public:
  enum class State : uint8_t { closed, open, half_open };
  enum class Verdict : uint8_t { good, bad, refused, nothing };  // refused: nobody listened.

  CircuitBreaker(const BreakerConfig& config, Instant born) : config_(config), changed_at_(born) {}

  bool admits(Instant now) const { return state_ == State::closed || now >= retry_at_; }
  // Requires admits(now). True: this request is the trial, and its settle() must say so.
  bool acquire(Instant now);
  // What the request acquired at `acquired_at` showed. Results of requests older than the last
  // change of state say nothing and are ignored. True: the breaker has just opened.
  bool settle(Verdict verdict, bool is_trial, Instant acquired_at, Instant now);

  State state() const { return state_; }
  Instant retry_at() const { return retry_at_; }  // Meaningful unless closed.

 private:
  enum Column : size_t { all, failed };
  bool settle_trial(Verdict verdict, Instant now);
  void open(Instant now);

  BreakerConfig config_;
  State state_ = State::closed;
  Instant changed_at_;  // When it was last opened or closed; of the trial while half_open.
  Instant retry_at_;    // When it admits a trial, or another one.
  RollingWindow<2> window_;
};

std::string_view to_string(CircuitBreaker::State state);

}  // namespace spillway::upstream
