// upstream/status_config.cc: reads, writes and searches sets of status codes.
#include "upstream/status_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"

namespace spillway::upstream {
namespace {

// Nobody means more, and every probe's answer is searched in them.
constexpr size_t ranges_max = 16;

std::optional<uint16_t> parse_status(std::string_view text) {
  const auto status = parse_decimal<uint16_t>(text);
  if (!status || *status < 100 || *status > 599) return std::nullopt;
  return status;
}

}  // namespace

Result<StatusRanges> StatusRanges::parse(std::string_view text) {
  const auto refused = [text] {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not a list of statuses such as 200-399 or 200,204", text));
  };
  StatusRanges result;
  result.ranges_.clear();
  for (std::string_view rest = text;;) {
    const size_t comma = rest.find(',');
    const std::string_view item = trimmed(rest.substr(0, comma));
    const size_t dash = item.find('-');
    const auto first = parse_status(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_status(item.substr(dash + 1));
    if (!first || !last || *first > *last || result.ranges_.size() == ranges_max) return refused();
    result.ranges_.push_back({*first, *last});
    if (comma == std::string_view::npos) return result;
    rest = rest.substr(comma + 1);
  }
}

bool StatusRanges::contains(uint16_t status) const {
  for (const Range& range : ranges_) {
    if (range.first <= status && status <= range.last) return true;
  }
  return false;
}

uint16_t StatusRanges::lowest() const {
  uint16_t lowest = ranges_.front().first;
  for (const Range& range : ranges_) lowest = std::min(lowest, range.first);
  return lowest;
}

std::string to_string(const StatusRanges& ranges) {
  std::string result;
  for (const StatusRanges::Range& range : ranges.ranges_) {
    if (!result.empty()) result += ',';
    result += range.first == range.last ? fmt::format("{}", range.first)
                                        : fmt::format("{}-{}", range.first, range.last);
  }
  return result;
}

}  // namespace spillway::upstream
