// upstream/health_verdict.h: what the probes of one endpoint add up to.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "upstream/config.h"

namespace spillway::upstream {

// Owned by its endpoint. Not thread-safe.
//
//   starting  -> healthy    with the first good probe
//   starting  -> unhealthy  after `failures` bad ones in a row; those within `grace` do not count
//   healthy  <-> unhealthy  after `failures` bad or `successes` good ones in a row
class HealthVerdict {
 public:
  enum class State : uint8_t { starting, healthy, unhealthy };

  HealthVerdict(State initial, Instant born) : state_(initial), born_(born) {}

  // True: the state has changed.
  bool learn(bool is_good, const HealthConfig& config, Instant now) {
    if (is_good) {
      bad_in_a_row_ = 0;
      ++good_in_a_row_;
      const bool is_enough = state_ == State::starting || good_in_a_row_ >= config.successes;
      return is_enough && change_to(State::healthy);
    }
    good_in_a_row_ = 0;
    if (state_ == State::starting && now < born_ + config.grace) return false;
    ++bad_in_a_row_;
    return bad_in_a_row_ >= config.failures && change_to(State::unhealthy);
  }

  State state() const { return state_; }

 private:
  bool change_to(State next) {
    const bool is_change = state_ != next;
    state_ = next;
    return is_change;
  }

  State state_;
  Instant born_;
  uint32_t good_in_a_row_ = 0;
  uint32_t bad_in_a_row_ = 0;
};

}  // namespace spillway::upstream
