// gateway/grpc.cc: a header field and a table.
#include "gateway/grpc.h"

#include <algorithm>

#include "base/ascii.h"

namespace spillway::gateway {

std::optional<Duration> parse_grpc_timeout(std::string_view text) {
  constexpr size_t digits_max = 8;
  if (text.size() < 2 || text.size() > digits_max + 1) return std::nullopt;
  const auto count = parse_decimal<uint32_t>(text.substr(0, text.size() - 1));
  if (!count) return std::nullopt;
  constexpr uint32_t hours_max = 24 * 365;  // As good as for ever, and a Duration can hold it.
  switch (text.back()) {
    case 'H': return std::chrono::hours(std::min(*count, hours_max));
    case 'M': return std::chrono::minutes(*count);
    case 'S': return std::chrono::seconds(*count);
    case 'm': return std::chrono::milliseconds(*count);
    case 'u': return std::chrono::microseconds(*count);
    case 'n': return std::chrono::nanoseconds(*count);
    default: return std::nullopt;
  }
}

uint32_t grpc_code_of(uint16_t status) {
  constexpr uint32_t deadline_exceeded = 4;
  constexpr uint32_t permission_denied = 7;
  constexpr uint32_t resource_exhausted = 8;
  constexpr uint32_t unimplemented = 12;
  constexpr uint32_t internal = 13;
  constexpr uint32_t unavailable = 14;
  constexpr uint32_t unauthenticated = 16;
  switch (status) {
    case 401: return unauthenticated;
    case 403: return permission_denied;
    case 404:
    case 405:
    case 501: return unimplemented;
    case 408:
    case 504: return deadline_exceeded;
    case 413:
    case 414:
    case 429:
    case 431: return resource_exhausted;
    case 502:
    case 503: return unavailable;
    default: return internal;
  }
}

std::string grpc_message(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string message;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '%') {
      message += c;
    } else {
      message.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  return message;
}

}  // namespace spillway::gateway
