// upstream/ejection.h: leaves out an endpoint whose real requests fail one after the other.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "upstream/config.h"

namespace spillway::upstream {

// The passive health of one endpoint; owned by it. How many endpoints may be out at a time is the
// Cluster's to decide: it calls eject() when is_suspect() and the share allows. Not thread-safe.
class Ejection {
 public:
  Ejection(const EjectionConfig& config, Instant born)
      : config_(config), ejected_at_(born), ejected_until_(born) {}

  // What a request picked at `picked_at` showed. One picked before the last ejection (or birth),
  // and failing with the others of its time, says nothing new. True: suspicion or ejection began or
  // ended.
  bool learn(bool is_good, Instant picked_at, Instant now);
  void eject(Instant now);

  // Enough failures in a row; not ejected yet, or only because too many others are.
  bool is_suspect() const { return failures_in_a_row_ >= config_.failures; }
  bool is_ejected(Instant now) const { return now < ejected_until_; }
  Instant ejected_until() const { return ejected_until_; }

 private:
  EjectionConfig config_;
  uint32_t failures_in_a_row_ = 0;  // Since the last ejection.
  uint32_t times_ = 0;              // Ejections without time_max of good behaviour between them.
  Instant ejected_at_;
  Instant ejected_until_;
};

}  // namespace spillway::upstream
