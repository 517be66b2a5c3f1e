// gateway/address_set.h: many IP prefixes, some for a time, as one table to look addresses up in.
#pragma once

#include <cstddef>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace spillway::gateway {

// Immutable, any core. A look-up is one binary search however the prefixes overlap: they are cut
// into the stretches between their ends, each with the time until which it belongs to the set.
class AddressSet {
 public:
  struct Entry {
    IpPrefix prefix;
    Instant until = Instant::max();  // A member before then.
  };

  AddressSet() = default;
  explicit AddressSet(std::vector<Entry> entries);

  bool contains(const IpAddress& address, Instant now) const;
  bool empty() const { return stretches_.empty(); }

 private:
  struct Stretch {
    IpAddress from;  // To the next one's.
    Instant until;
  };
  void begin_stretch(const IpAddress& from, Instant until);

  std::vector<Stretch> stretches_;  // Ascending; before the first nothing is a member.
};

}  // namespace spillway::gateway
