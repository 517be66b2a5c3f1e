// cache/eviction.cc: the ways that are tried, and going over to the best.
#include "cache/eviction.h"

#include <algorithm>
#include <iterator>

namespace spillway::cache {
namespace {

using Admission = EvictionWay::Admission;

// Found by trying them on traces of web sites, an ORM and a CDN, and on made ones: loops, drifting
// and bursting keys (./dev bench cache_policy).
constexpr std::array<EvictionWay, Eviction::ways> all_ways = {{
    {},
    {.uses_max = 3},
    {.ghost_share = 2},                               // Keys that come back late.
    {.small_share = 0.5},                             // Keys that come back soon, and then no more.
    {.admission = Admission::always, .uses_max = 1},  // The oldest leaves: popularity has changed.
    {.admission = Admission::by_frequency, .small_share = 0.01, .uses_max = 3},  // Circles.
    {.admission = Admission::by_frequency, .small_share = 0.1, .uses_max = 3},
}};

constexpr size_t trial_entries_max = 4096;
constexpr size_t asked_min = 200;  // Between two choices; more if more is held.
constexpr double memory = 0.9;     // Of the scores, from one choice to the next.
constexpr double lead_min = 1.01;  // Over the way that is followed, so as not to swing.

}  // namespace

Eviction::Eviction(uint64_t bytes_max) : queues_(bytes_max, all_ways.front(), sketch_) {
  for (const EvictionWay& way : all_ways) {
    trials_.push_back(std::make_unique<EvictionTrial>(bytes_max, way, sketch_));
  }
}

void Eviction::note(uint64_t hash, uint64_t bytes) {
  sketch_.add(hash);
  if (!is_sampled(hash)) return;
  for (const auto& trial : trials_) trial->ask(hash, bytes);
  if (++tried_ >= std::max<size_t>(entries_ / (sample_mask_ + 1), asked_min)) choose();
}

void Eviction::choose() {
  tried_ = 0;
  for (size_t i = 0; i < ways; ++i) {
    scores_[i] = scores_[i] * memory + static_cast<double>(trials_[i]->take_hits());
  }
  const auto best =
      static_cast<size_t>(std::distance(scores_.begin(), std::ranges::max_element(scores_)));
  if (scores_[best] <= scores_[way_] * lead_min) return;
  way_ = best;
  queues_.use(all_ways[best]);
}

EvictionNode* Eviction::next_victim(uint64_t incoming) {
  EvictionNode* victim = queues_.next_victim(incoming);
  if (victim != nullptr) --entries_;
  return victim;
}

void Eviction::insert(EvictionNode& node) {
  queues_.insert(node);
  ++entries_;
  sketch_.make_room(entries_);
  while (entries_ / (sample_mask_ + 1) > trial_entries_max) sample_less();
}

void Eviction::remove(EvictionNode& node) {
  queues_.remove(node);
  --entries_;
}

void Eviction::sample_less() {
  sample_mask_ = sample_mask_ * 2 + 1;
  for (const auto& trial : trials_) {
    trial->thin_out(queues_.bytes_max() / (sample_mask_ + 1),
                    [this](uint64_t hash) { return is_sampled(hash); });
  }
}

void Eviction::set_bytes_max(uint64_t bytes_max) {
  queues_.set_bytes_max(bytes_max);
  for (const auto& trial : trials_) trial->set_bytes_max(bytes_max / (sample_mask_ + 1));
}

}  // namespace spillway::cache
