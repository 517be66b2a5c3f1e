// gateway/address_set.cc: one sweep over the sorted prefixes, which nest or lie apart.
#include "gateway/address_set.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

namespace spillway::gateway {
namespace {

constexpr Instant never = Instant::from_nanoseconds(INT64_MIN);

// Nothing after the last of all.
std::optional<IpAddress> next_of(const IpAddress& address) {
  std::array<uint8_t, 16> bytes = address.bytes();
  for (size_t i = bytes.size(); i-- > 0;) {
    if (++bytes[i] != 0) return IpAddress::from_v6(bytes);
  }
  return std::nullopt;
}

}  // namespace

AddressSet::AddressSet(std::vector<Entry> entries) {
  // A wider prefix before those in it.
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return a.prefix.first() != b.prefix.first() ? a.prefix.first() < b.prefix.first()
                                                : a.prefix.last() > b.prefix.last();
  });
  struct Open {
    IpAddress last;
    Instant until;  // The latest of it and all around it.
  };
  std::vector<Open> around;
  const auto until_around = [&around] { return around.empty() ? never : around.back().until; };
  const auto end_innermost = [&] {
    const auto next = next_of(around.back().last);
    around.pop_back();
    if (next) begin_stretch(*next, until_around());
  };
  for (const Entry& entry : entries) {
    while (!around.empty() && around.back().last < entry.prefix.first()) end_innermost();
    const Instant until = std::max(entry.until, until_around());
    begin_stretch(entry.prefix.first(), until);
    around.push_back({entry.prefix.last(), until});
  }
  while (!around.empty()) end_innermost();
}

// What begins at the same address as the one before replaces it.
void AddressSet::begin_stretch(const IpAddress& from, Instant until) {
  if (!stretches_.empty() && stretches_.back().from == from) {
    stretches_.back().until = until;
  } else if (stretches_.empty() || stretches_.back().until != until) {
    stretches_.push_back({from, until});
  }
}

bool AddressSet::contains(const IpAddress& address, Instant now) const {
  const auto after = std::ranges::upper_bound(stretches_, address, {}, &Stretch::from);
  return after != stretches_.begin() && now < std::prev(after)->until;
}

}  // namespace spillway::gateway
