// upstream/balancers/round_robin.cc: one turn.
#include "upstream/balancers/round_robin.h"

#include "base/check.h"

namespace spillway::upstream {

std::optional<uint32_t> RoundRobin::choose(std::span<const Candidate> candidates, const Question&) {
  CHECK(earned_.size() == candidates.size());
  std::optional<uint32_t> richest;
  int64_t total = 0;
  for (uint32_t i = 0; i < candidates.size(); ++i) {
    const int64_t weight = candidates[i].weight;
    if (weight == 0) continue;
    earned_[i] += weight;
    total += weight;
    if (!richest || earned_[i] > earned_[*richest]) richest = i;
  }
  if (richest) earned_[*richest] -= total;
  return richest;
}

}  // namespace spillway::upstream
