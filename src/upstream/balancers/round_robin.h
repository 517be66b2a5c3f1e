// upstream/balancers/round_robin.h: each in turn, as often as its weight, evenly spread.
#pragma once

#include <vector>

#include "upstream/balancer.h"

namespace spillway::upstream {

// Smooth weighted round robin, as nginx does it: weights 5, 1, 1 give a a b a c a a, never five in
// a row. Each turn everybody earns its weight; the richest is chosen and pays what all earned.
class RoundRobin final : public Balancer {
 public:
  void candidates_changed(std::span<const Candidate> candidates) override {
    earned_.assign(candidates.size(), 0);
  }
  std::optional<uint32_t> choose(std::span<const Candidate> candidates, const Question&) override;

 private:
  std::vector<int64_t> earned_;  // One per candidate.
};

}  // namespace spillway::upstream
