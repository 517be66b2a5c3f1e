// deploy/restart_policy.h: when something that ended is started again: at once, then backing off.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "deploy/config.h"

namespace spillway::deploy {

// Pure: reads no clock. One per replica slot, and one for the server process itself.
//
//   failures in a row   1        2       3           4           ...
//   next start          at once  pause   2 x pause   4 x pause   never above pause_max
class RestartPolicy {
 public:
  // Ready for this long, a process has proven itself, and its end counts as the first.
  static constexpr Duration proven_after = 10s;

  explicit RestartPolicy(RestartConfig config) : config_(config) {}

  // It ended, or did not start, after having been ready for `ready_for` (zero: never ready). When
  // to start it next; nullopt: leave it alone, `give_up` was reached.
  std::optional<Instant> ended(Instant now, Duration ready_for) {
    if (ready_for >= proven_after) failures_in_a_row_ = 0;
    if (failures_in_a_row_ < UINT32_MAX) ++failures_in_a_row_;
    if (config_.give_up && failures_in_a_row_ >= *config_.give_up) return std::nullopt;
    return now + pause();
  }
  // A person asked for it (deploy, reload): starts afresh.
  void forgive() { failures_in_a_row_ = 0; }
  uint32_t failures_in_a_row() const { return failures_in_a_row_; }

 private:
  Duration pause() const {
    if (failures_in_a_row_ <= 1) return Duration::zero();
    Duration pause = std::min(config_.pause, config_.pause_max);
    for (uint32_t i = 2; i < failures_in_a_row_ && pause < config_.pause_max; ++i) pause *= 2;
    return std::min(pause, config_.pause_max);
  }

  RestartConfig config_;
  uint32_t failures_in_a_row_ = 0;
};

}  // namespace spillway::deploy
