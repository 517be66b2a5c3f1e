// upstream/balancers/random_two.h: the less loaded of two drawn at random.
#pragma once

#include "upstream/balancer.h"

namespace spillway::upstream {

// The power of two choices (Mitzenmacher, 2001): nearly as even as least_requests, and without its
// herding when several proxies in front of the same endpoints each see only their own requests.
// Both are drawn by weight and compared by requests in flight per weight.
class RandomTwo final : public Balancer {
 public:
  void candidates_changed(std::span<const Candidate>) override {}
  std::optional<uint32_t> choose(std::span<const Candidate> candidates,
                                 const Question& question) override;
};

}  // namespace spillway::upstream
