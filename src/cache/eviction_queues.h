// cache/eviction_queues.h: in which order entries leave a full cache, by one way of choosing.
#pragma once

#include <cstdint>

#include "base/intrusive_list.h"
#include "cache/frequency_sketch.h"
#include "cache/ghost_list.h"
#include "runtime/heat.h"

namespace spillway::cache {

// What an entry is to the queues; it derives from this. Hits touch `heat` and nothing else, from
// any core and without a lock.
struct EvictionNode : ListLink {
  uint64_t hash = 0;
  uint64_t bytes = 0;
  runtime::Heat heat;
  bool is_main = false;
};

// One way of choosing.
struct EvictionWay {
  enum class Admission : uint8_t {
    by_use,  // To the main queue goes what was asked for again in the small one, or soon after.
    by_frequency,  // What was asked for more often than the next that would leave the main queue.
    always,        // There is only the main queue.
  };
  Admission admission = Admission::by_use;
  double small_share = 0.1;  // Of the bytes: the queue that new entries begin in.
  double ghost_share = 0.9;  // Of the bytes: what is remembered of the small queue.
  uint8_t uses_max = 7;      // So many rounds through the main queue are earned at most.
};

// Two queues, first in, first out, with second chances (S3-FIFO; Yang, Zhang, Qiu, Yue and
// Rashmi, 2023), or with admission by frequency (W-TinyLFU; Einziger, Eytan, Friedman and Manes,
// 2018) on the same queues. Owns no node. Guarded by its owner's lock, except for nodes' heat.
class EvictionQueues {
 public:
  // `sketch` outlives it.
  EvictionQueues(uint64_t bytes_max, const EvictionWay& way, const FrequencySketch& sketch)
      : sketch_(sketch), way_(way), bytes_max_(bytes_max) {}

  // The next that has to leave for `incoming` bytes to fit; null: they do. It is out of the queues
  // then. To be asked before an insert() until there is none, and after it with 0: some ways
  // compare the new entry with those that are here, and it may be the one that leaves.
  EvictionNode* next_victim(uint64_t incoming);
  void insert(EvictionNode& node);
  // It is gone for another reason and leaves no trace.
  void remove(EvictionNode& node);

  void use(const EvictionWay& way) { way_ = way; }
  void set_bytes_max(uint64_t bytes_max) { bytes_max_ = bytes_max; }
  uint64_t bytes_max() const { return bytes_max_; }
  uint64_t bytes() const { return small_bytes_ + main_bytes_; }

 private:
  using Admission = EvictionWay::Admission;
  using Queue = IntrusiveList<EvictionNode>;  // The oldest in front.

  uint64_t small_bytes_max() const;
  uint64_t& bytes_of(const EvictionNode& node) { return node.is_main ? main_bytes_ : small_bytes_; }
  EvictionNode& leave(EvictionNode& node);
  void promote(EvictionNode& node);
  EvictionNode& main_candidate();
  EvictionNode* leave_small_by_use();
  EvictionNode* settle_by_frequency();

  const FrequencySketch& sketch_;
  EvictionWay way_;
  uint64_t bytes_max_;
  Queue small_;
  Queue main_;
  uint64_t small_bytes_ = 0;
  uint64_t main_bytes_ = 0;
  GhostList ghosts_;
};

}  // namespace spillway::cache
