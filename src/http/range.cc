// http/range.cc: numbers with a dash between them.
#include "http/range.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/field.h"
#include "http/list.h"

namespace spillway::http {
namespace {

// One part as asked for, whether it is there or not.
struct Asked {
  std::optional<uint64_t> first;  // Absent: the last `last` bytes.
  std::optional<uint64_t> last;   // Absent: to the end.
};

std::optional<Asked> parse_part(std::string_view text) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view before = text.substr(0, dash);
  const std::string_view after = text.substr(dash + 1);
  Asked asked;
  if (!before.empty()) {
    asked.first = parse_decimal<uint64_t>(before);
    if (!asked.first) return {};
  }
  if (!after.empty()) {
    asked.last = parse_decimal<uint64_t>(after);
    if (!asked.last) return {};
  }
  if (!asked.first && !asked.last) return {};
  if (asked.first && asked.last && *asked.first > *asked.last) return {};
  return asked;
}

// Nothing: it lies behind the end.
std::optional<ByteRange> part_of(const Asked& asked, uint64_t size) {
  if (!asked.first) {
    if (*asked.last == 0 || size == 0) return {};
    return ByteRange{size - std::min(*asked.last, size), size - 1};
  }
  if (*asked.first >= size) return {};
  return ByteRange{*asked.first, std::min(asked.last.value_or(size - 1), size - 1)};
}

bool overlap(const ByteRange& a, const ByteRange& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

std::optional<std::vector<ByteRange>> parse_ranges(std::string_view value, uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!equals_ignoring_case(value.substr(0, unit.size()), unit)) return {};
  std::vector<ByteRange> ranges;
  size_t asked_for = 0;
  ListReader list(value.substr(unit.size()));
  for (std::string_view element; list.next(element);) {
    if (++asked_for > ranges_max) return {};
    const auto asked = parse_part(element);
    if (!asked) return {};
    const auto range = part_of(*asked, size);
    if (!range) continue;
    const auto meets = [&](const ByteRange& other) { return overlap(other, *range); };
    if (std::ranges::any_of(ranges, meets)) return {};
    ranges.push_back(*range);
  }
  if (asked_for == 0) return {};
  return ranges;
}

}  // namespace spillway::http
