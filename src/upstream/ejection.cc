// upstream/ejection.cc: counts failures in a row and measures how long an ejection lasts.
#include "upstream/ejection.h"

#include <algorithm>

namespace spillway::upstream {

bool Ejection::learn(bool is_good, Instant picked_at, Instant now) {
  if (picked_at < ejected_at_) return false;
  const bool was_out = is_suspect() || is_ejected(now);
  if (is_good) {
    failures_in_a_row_ = 0;
    // Only a panic sends requests to an ejected endpoint; a good answer there ends the ejection.
    ejected_until_ = std::min(ejected_until_, now);
    return was_out;
  }
  if (is_ejected(now)) return false;
  ++failures_in_a_row_;
  return is_suspect();
}

void Ejection::eject(Instant now) {
  if (times_ > 0 && now - ejected_until_ > config_.time_max) times_ = 0;
  ++times_;
  failures_in_a_row_ = 0;
  ejected_at_ = now;
  // Compared by division: the product could overflow.
  const bool is_capped = config_.time_max / times_ <= config_.time;
  ejected_until_ = now + (is_capped ? config_.time_max : config_.time * times_);
}

}  // namespace spillway::upstream
