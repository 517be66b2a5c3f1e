// http/authority.h: splits "host:port" and refuses hosts that no client means.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::http {

struct Authority {
  std::string_view host;  // The brackets of an IPv6 literal stay.
  uint16_t port = 0;      // 0: none given.
};

// "example.com", "example.com:8080", "10.0.0.1", "[::1]:80". Narrower than RFC 3986 section 3.2: a
// name has letters, digits, '-', '.', '_' and '~' only; no user information, no percent-encoding,
// no zone. Nothing if malformed or empty.
std::optional<Authority> parse_authority(std::string_view text);

// The same host, ignoring case, and the same port once `default_port` stands in for none.
bool is_same_authority(const Authority& a, const Authority& b, uint16_t default_port);

}  // namespace spillway::http
