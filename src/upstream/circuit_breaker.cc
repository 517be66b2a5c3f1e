// upstream/circuit_breaker.cc: the three states and what moves between them.
#include "upstream/circuit_breaker.h"

#include "base/check.h"

namespace spillway::upstream {

bool CircuitBreaker::acquire(Instant now) {
  CHECK(admits(now));
  if (state_ == State::closed) return false;
  state_ = State::half_open;
  changed_at_ = now;
  retry_at_ = now + config_.open;
  return true;
}

bool CircuitBreaker::settle(Verdict verdict, bool is_trial, Instant acquired_at, Instant now) {
  if (is_trial) {
    const bool is_current = state_ == State::half_open && acquired_at == changed_at_;
    return is_current && settle_trial(verdict, now);
  }
  if (state_ != State::closed || acquired_at < changed_at_) return false;
  if (verdict == Verdict::nothing || verdict == Verdict::refused) return false;
  window_.add(all, now);
  if (verdict == Verdict::good) return false;
  window_.add(failed, now);
  const uint64_t requests = window_.sum(all, now);
  if (requests < config_.requests) return false;
  const auto failures = static_cast<double>(window_.sum(failed, now));
  if (failures < config_.error_share.of_one * static_cast<double>(requests)) return false;
  open(now);
  return true;
}

bool CircuitBreaker::settle_trial(Verdict verdict, Instant now) {
  if (verdict == Verdict::good) {
    state_ = State::closed;
    changed_at_ = now;
    window_.clear();
    return false;
  }
  if (verdict == Verdict::nothing) {  // The next request may be the trial instead.
    state_ = State::open;
    retry_at_ = now;
    return false;
  }
  open(now);
  return true;
}

void CircuitBreaker::open(Instant now) {
  state_ = State::open;
  changed_at_ = now;
  retry_at_ = now + config_.open;
}

std::string_view to_string(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::closed: return "closed";
    case CircuitBreaker::State::open: return "open";
    case CircuitBreaker::State::half_open: return "half_open";
  }
  return "unknown";
}

}  // namespace spillway::upstream
