// upstream/limit_table.cc: chained buckets over one array, and a list in the order of use.
#include "upstream/limit_table.h"

#include <bit>

#include "base/check.h"

namespace spillway::upstream {

LimitTable::LimitTable(const RateRule& rule, uint32_t keys_max)
    : rule_(rule), keys_max_(keys_max), buckets_(std::bit_ceil(keys_max), none) {
  CHECK(keys_max >= 1);
  entries_.reserve(keys_max);
}

LimitTable::Place LimitTable::find(const Hash128& key) {
  Place place = bucket_of(key);
  while (place != none && entries_[place].key != key) place = entries_[place].next;
  return place;
}

void LimitTable::unlink(Place place) {
  const Entry& entry = entries_[place];
  (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
  (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void LimitTable::link_newest(Place place) {
  Entry& entry = entries_[place];
  entry.newer = none;
  entry.older = newest_;
  (newest_ == none ? oldest_ : entries_[newest_].newer) = place;
  newest_ = place;
}

void LimitTable::remove_from_bucket(Place place) {
  Place* at = &bucket_of(entries_[place].key);
  while (*at != place) at = &entries_[*at].next;
  *at = entries_[place].next;
}

LimitTable::Place LimitTable::add(const Hash128& key, Instant now) {
  Place place = keys();
  if (place < keys_max_) {
    entries_.emplace_back();
  } else {
    place = oldest_;
    if (!is_spent(rule_, entries_[place].state, now)) ++evictions_;
    remove_from_bucket(place);
    unlink(place);
    entries_[place].state = {};
  }
  entries_[place].key = key;
  entries_[place].next = bucket_of(key);
  bucket_of(key) = place;
  link_newest(place);
  return place;
}

// Finds or adds it, as the one used last.
LimitTable::Place LimitTable::use(const Hash128& key, Instant now) {
  Place place = find(key);
  if (place == none) {
    place = add(key, now);
  } else if (place != newest_) {
    unlink(place);
    link_newest(place);
  }
  return place;
}

RateAnswer LimitTable::take(const Hash128& key, Instant now) {
  return upstream::take(rule_, entries_[use(key, now)].state, now);
}

void LimitTable::note(const Hash128& key, const RateAnswer& answer, Instant now) {
  upstream::note(rule_, entries_[use(key, now)].state, answer, now);
}

void LimitTable::give_back(const Hash128& key, const RateAnswer& taken, Instant now) {
  const Place place = find(key);
  if (place != none) upstream::give_back(rule_, entries_[place].state, taken, now);
}

}  // namespace spillway::upstream
