// upstream/limit_table.h: what is remembered of many keys, in bounded memory.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/siphash.h"
#include "upstream/rate_limit.h"

namespace spillway::upstream {

// Keys are hashes that clients cannot aim at (base/siphash.h). When it is full, the key that has
// not been used for the longest time makes room; nothing else is ever forgotten. Memory is reserved
// at once and touched as it fills: 48 bytes a key. Not thread-safe.
class LimitTable {
 public:
  LimitTable(const RateRule& rule, uint32_t keys_max);

  RateAnswer take(const Hash128& key, Instant now);
  void give_back(const Hash128& key, const RateAnswer& taken, Instant now);
  // See upstream::note().
  void note(const Hash128& key, const RateAnswer& answer, Instant now);

  uint32_t keys() const { return static_cast<uint32_t>(entries_.size()); }
  // Keys that made room while their state still meant something: their clients may go on too soon.
  uint64_t evictions() const { return evictions_; }

 private:
  using Place = uint32_t;
  static constexpr Place none = UINT32_MAX;
  struct Entry {
    Hash128 key;
    RateState state;
    Place next = none;   // In the same bucket.
    Place newer = none;  // In the order of use.
    Place older = none;
  };

  Place& bucket_of(const Hash128& key) { return buckets_[key.low & (buckets_.size() - 1)]; }
  Place find(const Hash128& key);
  Place use(const Hash128& key, Instant now);
  Place add(const Hash128& key, Instant now);
  void remove_from_bucket(Place place);
  void unlink(Place place);
  void link_newest(Place place);

  const RateRule rule_;
  const uint32_t keys_max_;
  std::vector<Place> buckets_;  // A power of two of them.
  std::vector<Entry> entries_;
  Place newest_ = none;
  Place oldest_ = none;
  uint64_t evictions_ = 0;
};

}  // namespace spillway::upstream
