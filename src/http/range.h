// http/range.h: which parts of a body a client asks for (RFC 9110 section 14).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace spillway::http {

// What one request may ask for; beyond it the whole body is sent, as RFC 9110 section 17.15 says
// may be done against clients that ask for thousands of tiny parts.
inline constexpr size_t ranges_max = 8;

// Bytes `first` to `last`, both among them.
struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t size() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

// The value of Range for a body of `size` bytes: "bytes=0-499, -500", in the order asked for.
// Nothing: the field counts as not there, because it is malformed, of another unit, asks for more
// than ranges_max parts, or for parts that overlap. Empty: none of the parts is there (answer 416).
std::optional<std::vector<ByteRange>> parse_ranges(std::string_view value, uint64_t size);

}  // namespace spillway::http
