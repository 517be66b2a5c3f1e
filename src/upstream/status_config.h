// upstream/status_config.h: a set of HTTP status codes as the plan writes it, "200-399".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace spillway::upstream {

// Written "200", "200-399" or "200,204,301-308". Immutable value.
class StatusRanges {
 public:
  StatusRanges() = default;  // 200-399

  // Codes are 100 to 599, ranges rise, at most 16 of them. Error: invalid.
  static Result<StatusRanges> parse(std::string_view text);
  bool contains(uint16_t status) const;
  uint16_t lowest() const;
  bool operator==(const StatusRanges&) const = default;

 private:
  friend std::string to_string(const StatusRanges& ranges);
  struct Range {
    uint16_t first;
    uint16_t last;
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> ranges_{{200, 399}};  // As written; never empty.
};

std::string to_string(const StatusRanges& ranges);  // Parses back to the same value.

}  // namespace spillway::upstream
