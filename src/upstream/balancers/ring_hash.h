// upstream/balancers/ring_hash.h: the same key to the same endpoint, unless that one has too much.
#pragma once

#include <vector>

#include "upstream/balancer.h"

namespace spillway::upstream {

// Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, 2016). An endpoint has
// points on a ring in proportion to its weight; a key goes to the next point clockwise whose
// endpoint holds less than 1.25 times its fair part of the requests in flight. One of N endpoints
// gone moves about 1/N of the keys; a hot key overflows to the next endpoints instead of drowning
// its own.
class RingHash final : public Balancer {
 public:
  void candidates_changed(std::span<const Candidate> candidates) override;
  std::optional<uint32_t> choose(std::span<const Candidate> candidates,
                                 const Question& question) override;

 private:
  struct Point {
    uint64_t place;
    uint32_t candidate;
  };
  std::vector<Point> ring_;  // Sorted by place.
};

// The most requests in flight that a candidate of `weight` may hold, the new one included, when
// `total_weight` holds `total_in_flight` without it. The bounds of all add up to more than that.
constexpr uint64_t load_bound(uint64_t weight, uint64_t total_weight, uint64_t total_in_flight) {
  // A factor of 1.25: the paper's trade between evenness and keys that stay (there 1 + epsilon).
  return (5 * (total_in_flight + 1) * weight + 4 * total_weight - 1) / (4 * total_weight);
}

}  // namespace spillway::upstream
