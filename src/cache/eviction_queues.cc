// cache/eviction_queues.cc: queues that entries go round in while they are used.
#include "cache/eviction_queues.h"

#include <algorithm>

namespace spillway::cache {
namespace {

uint64_t share_of(uint64_t bytes, double share) {
  return std::max<uint64_t>(static_cast<uint64_t>(static_cast<double>(bytes) * share), 1);
}

}  // namespace

uint64_t EvictionQueues::small_bytes_max() const { return share_of(bytes_max_, way_.small_share); }

void EvictionQueues::insert(EvictionNode& node) {
  const bool was_here = ghosts_.take(node.hash);
  node.heat.set(0);
  node.is_main =
      way_.admission == Admission::always || (was_here && way_.admission == Admission::by_use);
  (node.is_main ? main_ : small_).push_back(node);
  bytes_of(node) += node.bytes;
}

void EvictionQueues::remove(EvictionNode& node) {
  node.unlink();
  bytes_of(node) -= node.bytes;
}

EvictionNode& EvictionQueues::leave(EvictionNode& node) {
  remove(node);
  const bool leaves_trace = !node.is_main || way_.admission == Admission::always;
  if (leaves_trace) ghosts_.add(node.hash, node.bytes, share_of(bytes_max_, way_.ghost_share));
  return node;
}

void EvictionQueues::promote(EvictionNode& node) {
  remove(node);
  node.heat.set(0);
  node.is_main = true;
  main_.push_back(node);
  main_bytes_ += node.bytes;
}

// The oldest that has no more rounds to its credit. Where nearly all have, the search ends: others
// wait for the lock. REQUIRES: the main queue is not empty.
EvictionNode& EvictionQueues::main_candidate() {
  constexpr int looks_max = 4096;
  for (int looks = 0; looks < looks_max; ++looks) {
    EvictionNode& node = main_.front();
    const uint8_t uses = std::min(node.heat.value(), way_.uses_max);
    if (uses == 0) break;
    node.heat.set(static_cast<uint8_t>(uses - 1));
    node.unlink();
    main_.push_back(node);
  }
  return main_.front();
}

// Null: it went to the main queue.
EvictionNode* EvictionQueues::leave_small_by_use() {
  EvictionNode& node = small_.front();
  if (node.heat.value() == 0) return &leave(node);
  promote(node);
  return nullptr;
}

// The new ones fill the small queue; what it has to give up has to be worth more than what would
// leave the main queue for it.
EvictionNode* EvictionQueues::settle_by_frequency() {
  while (true) {
    const bool is_full = bytes() > bytes_max_;
    const bool spills = small_bytes_ > small_bytes_max() && !small_.empty();
    if (!is_full && !spills) return nullptr;
    if (!spills && !main_.empty()) return &leave(main_candidate());
    EvictionNode& newcomer = small_.front();
    if (!is_full) {
      promote(newcomer);
      continue;
    }
    if (main_.empty()) return &leave(newcomer);
    EvictionNode& oldest = main_candidate();
    if (sketch_.estimate(newcomer.hash) <= sketch_.estimate(oldest.hash)) return &leave(newcomer);
    promote(newcomer);
    return &leave(oldest);
  }
}

EvictionNode* EvictionQueues::next_victim(uint64_t incoming) {
  if (way_.admission == Admission::by_frequency) {
    return incoming > 0 ? nullptr : settle_by_frequency();
  }
  while (bytes() + incoming > bytes_max_ && bytes() > 0) {
    const bool is_from_small =
        main_.empty() || (!small_.empty() && small_bytes_ >= small_bytes_max());
    if (!is_from_small) return &leave(main_candidate());
    if (EvictionNode* node = leave_small_by_use()) return node;
  }
  return nullptr;
}

}  // namespace spillway::cache
