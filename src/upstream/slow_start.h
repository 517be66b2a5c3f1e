// upstream/slow_start.h: how much of its share an endpoint gets soon after it became healthy.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace spillway::upstream {

// Ramps are thousandths of the full share.
inline constexpr uint32_t ramp_full = 1000;
// Enough for caches and compilers to warm up at all, too little to drown a cold process.
inline constexpr uint32_t ramp_least = 100;

// Rises in a straight line from ramp_least to ramp_full over `slow_start`.
constexpr uint32_t ramp_at(Instant fit_since, Duration slow_start, Instant now) {
  const Duration age = std::max(now - fit_since, Duration::zero());
  if (age >= slow_start) return ramp_full;
  const double part = static_cast<double>(age.count()) / static_cast<double>(slow_start.count());
  return ramp_least + static_cast<uint32_t>(part * (ramp_full - ramp_least));
}

}  // namespace spillway::upstream
