// upstream/balancers/random_two.cc: two draws and a comparison.
#include "upstream/balancers/random_two.h"

#include "base/check.h"
#include "upstream/balancers/least_requests.h"

namespace spillway::upstream {
namespace {

constexpr uint32_t nobody = UINT32_MAX;

// The candidate on whose part of the line of all weights, but for `excluded`'s, `point` lies.
uint32_t candidate_at(std::span<const Candidate> candidates, uint64_t point, uint32_t excluded) {
  for (uint32_t i = 0; i < candidates.size(); ++i) {
    if (i == excluded) continue;
    if (point < candidates[i].weight) return i;
    point -= candidates[i].weight;
  }
  CHECK(false);
}

}  // namespace

std::optional<uint32_t> RandomTwo::choose(std::span<const Candidate> candidates,
                                          const Question& question) {
  uint64_t total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  if (total == 0) return std::nullopt;
  const uint32_t first = candidate_at(candidates, question.random.below(total), nobody);
  total -= candidates[first].weight;
  if (total == 0) return first;
  const uint32_t second = candidate_at(candidates, question.random.below(total), first);
  return is_less_loaded(candidates[second], candidates[first]) ? second : first;
}

}  // namespace spillway::upstream
