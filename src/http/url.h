// http/url.h: an absolute http or https URL taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::http {

// Views into the text that was parsed.
struct Url {
  std::string_view scheme;     // "http" or "https", as written.
  std::string_view authority;  // "example.com:8080"
  std::string_view host;       // "example.com"; the brackets of an IPv6 literal stay.
  uint16_t port = 0;           // The scheme's default if none is written.
  std::string_view path;       // At least "/".
  std::string_view query;      // Without '?'.
  bool has_query = false;
  bool is_https = false;
};

// Nothing if it is no such URL: another scheme, user information, a fragment, blanks or controls,
// a malformed host or port (RFC 9110 section 4.2).
std::optional<Url> parse_url(std::string_view text);

// "::1" of "[::1]"; other hosts as they are.
constexpr std::string_view without_brackets(std::string_view host) {
  return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace spillway::http
