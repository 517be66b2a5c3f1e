// http/range_fuzz.cc: whatever a client asks for lies within the body, and nothing lies twice.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "http/range.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway::http;
  if (size < 2) return 0;
  const uint64_t body = size_t{data[0]} << (data[1] % 56);
  const std::string_view value(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto ranges = parse_ranges(value, body);
  if (!ranges) return 0;
  CHECK(ranges->size() <= ranges_max);
  uint64_t bytes = 0;
  for (const ByteRange& range : *ranges) {
    CHECK(range.first <= range.last && range.last < body);
    bytes += range.size();
  }
  CHECK(bytes <= body);
  return 0;
}
