// upstream/balancers/ring_hash.cc: builds the ring and walks it.
#include "upstream/balancers/ring_hash.h"

#include <algorithm>
#include <cmath>

#include "upstream/hash.h"

namespace spillway::upstream {
namespace {

// Points of an endpoint of mean weight. The parts of the keys of 128-point endpoints differ by
// about 9 % (1 / sqrt(128)); the bound on load evens out the rest.
constexpr double points_mean = 128;

uint64_t place_of(uint64_t identity, uint32_t point) {
  return mix(identity + (uint64_t{point} + 1) * 0x9E3779B97F4A7C15);
}

}  // namespace

void RingHash::candidates_changed(std::span<const Candidate> candidates) {
  ring_.clear();
  double total_weight = 0;
  for (const Candidate& candidate : candidates) total_weight += candidate.plan_weight;
  for (uint32_t i = 0; i < candidates.size(); ++i) {
    const double part = candidates[i].plan_weight / total_weight;
    const double points = points_mean * static_cast<double>(candidates.size()) * part;
    const auto count = std::max(1U, static_cast<uint32_t>(std::lround(points)));
    for (uint32_t point = 0; point < count; ++point) {
      ring_.push_back({place_of(candidates[i].identity, point), i});
    }
  }
  std::ranges::sort(ring_, {}, &Point::place);
}

std::optional<uint32_t> RingHash::choose(std::span<const Candidate> candidates,
                                         const Question& question) {
  uint64_t weight = 0;
  uint64_t in_flight = 0;
  for (const Candidate& candidate : candidates) {
    if (candidate.weight == 0) continue;
    weight += candidate.weight;
    in_flight += candidate.in_flight;
  }
  if (weight == 0) return std::nullopt;
  const uint64_t key = question.hash_key ? mix(*question.hash_key) : question.random.next();
  const auto first = std::ranges::lower_bound(ring_, key, {}, &Point::place) - ring_.begin();
  for (size_t step = 0; step < ring_.size(); ++step) {
    size_t at = static_cast<size_t>(first) + step;
    if (at >= ring_.size()) at -= ring_.size();
    const Candidate& candidate = candidates[ring_[at].candidate];
    if (candidate.weight == 0) continue;
    if (candidate.in_flight < load_bound(candidate.weight, weight, in_flight)) {
      return ring_[at].candidate;
    }
  }
  return std::nullopt;  // Not reached: the bounds add up to more than what is in flight.
}

}  // namespace spillway::upstream
