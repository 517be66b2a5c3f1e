// upstream/balancers/least_requests.h: the endpoint with the fewest requests for its weight.
#pragma once

#include "upstream/balancer.h"

namespace spillway::upstream {

// Compares requests in flight per weight; equals are drawn by weight, so that idle endpoints share
// the work. A new endpoint is idle and would win every comparison; in slow start it takes part in
// only as many of them as its ramp says, and with its small weight.
class LeastRequests final : public Balancer {
 public:
  void candidates_changed(std::span<const Candidate>) override {}
  std::optional<uint32_t> choose(std::span<const Candidate> candidates,
                                 const Question& question) override;
};

// True: `a` has fewer requests for its weight than `b`. Both weights are above 0.
constexpr bool is_less_loaded(const Candidate& a, const Candidate& b) {
  return uint64_t{a.in_flight} * b.weight < uint64_t{b.in_flight} * a.weight;
}

}  // namespace spillway::upstream
