// cache/eviction.h: which entries leave a full cache; it tries several ways and follows the best.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cache/eviction_queues.h"
#include "cache/eviction_trial.h"
#include "cache/frequency_sketch.h"

namespace spillway::cache {

// No way of choosing is the best for all: some requests come back soon, some seldom but for ever,
// some go round in circles. So each way is tried on a sample of the keys, without what is stored
// under them, and the entries themselves follow the one whose hits were most of late. Going over
// moves nothing: only what enters and leaves from then on is chosen differently. Owns no node.
// Guarded by its owner's lock, except for the heat of nodes.
class Eviction {
 public:
  explicit Eviction(uint64_t bytes_max);
  Eviction(const Eviction&) = delete;
  Eviction& operator=(const Eviction&) = delete;

  // This key was asked for, whether it was here or had to be fetched. Some may be left out.
  void note(uint64_t hash, uint64_t bytes);

  // As EvictionQueues.
  EvictionNode* next_victim(uint64_t incoming);
  void insert(EvictionNode& node);
  void remove(EvictionNode& node);
  void set_bytes_max(uint64_t bytes_max);
  uint64_t bytes() const { return queues_.bytes(); }
  size_t entries() const { return entries_; }

  static constexpr size_t ways = 7;
  size_t way() const { return way_; }  // The one that is followed now.

 private:
  bool is_sampled(uint64_t hash) const { return (hash >> sample_shift & sample_mask_) == 0; }
  void sample_less();
  void choose();

  // The low bits of hashes choose places elsewhere.
  static constexpr int sample_shift = 40;

  FrequencySketch sketch_;
  EvictionQueues queues_;
  size_t entries_ = 0;
  uint64_t sample_mask_ = 0;  // One key of this many and one is tried.
  std::vector<std::unique_ptr<EvictionTrial>> trials_;
  std::array<double, ways> scores_{};
  size_t way_ = 0;
  uint64_t tried_ = 0;  // Since the last choice.
};

}  // namespace spillway::cache
