// upstream/balancers/least_requests.cc: one scan for the least loaded.
#include "upstream/balancers/least_requests.h"

#include "upstream/slow_start.h"

namespace spillway::upstream {
namespace {

template <bool HoldsBackNewcomers>
std::optional<uint32_t> least_loaded(std::span<const Candidate> candidates, Random& random) {
  std::optional<uint32_t> best;
  uint64_t tied_weight = 0;  // Of the best and those as little loaded.
  for (uint32_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (candidate.weight == 0) continue;
    if (HoldsBackNewcomers && candidate.ramp < ramp_full &&
        random.below(ramp_full) >= candidate.ramp) {
      continue;
    }
    if (!best || is_less_loaded(candidate, candidates[*best])) {
      best = i;
      tied_weight = candidate.weight;
    } else if (!is_less_loaded(candidates[*best], candidate)) {
      tied_weight += candidate.weight;
      if (random.below(tied_weight) < candidate.weight) best = i;
    }
  }
  return best;
}

}  // namespace

std::optional<uint32_t> LeastRequests::choose(std::span<const Candidate> candidates,
                                              const Question& question) {
  if (const auto best = least_loaded<true>(candidates, question.random)) return best;
  return least_loaded<false>(candidates, question.random);
}

}  // namespace spillway::upstream
