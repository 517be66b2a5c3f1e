// http/http2_limits.h: what a connection of HTTP/2 may cost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"

namespace spillway::http {

// See http/config.h for the meaning of each.
struct Http2Limits {
  uint32_t streams = 128;
  uint32_t window = 64 << 10;
  uint32_t connection_window = 512 << 10;
  Duration burden_window = 10s;  // For how long each Http2Burden is counted.
};

// What a peer can do at little cost of its own.
enum class Http2Burden : uint8_t {
  reset,       // A stream closed before its answer was complete, whoever's doing (CVE-2023-44487).
  settings,    // Each is acknowledged.
  ping,        // The same.
  empty_data,  // DATA without bytes that ends nothing.
  continuation,  // Of one field section, which nobody can act on before its end.
  field_bytes,   // A field section of many times its limit, perhaps out of a few bytes.
  unread,        // Frames that we owe and the peer does not read: more than any peer needs.
};
constexpr std::array<std::string_view, 7> enum_names(Http2Burden) {
  return {"reset", "settings", "ping", "empty_data", "continuation", "field_bytes", "unread"};
}
inline constexpr size_t http2_burden_count = enum_names(Http2Burden{}).size();

}  // namespace spillway::http
