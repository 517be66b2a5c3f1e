// http/authority.cc: strict reading of Host and of the authority in absolute targets.
#include "http/authority.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/ascii.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

constexpr size_t host_bytes_max = 255;  // RFC 1035 section 2.3.4.

bool is_ipv6_literal(std::string_view bracketed) {
  char text[INET6_ADDRSTRLEN] = {};
  const std::string_view inner = bracketed.substr(1, bracketed.size() - 2);
  if (inner.size() >= sizeof text || inner.find('\0') != std::string_view::npos) return false;
  inner.copy(text, inner.size());
  in6_addr ignored;
  return inet_pton(AF_INET6, text, &ignored) == 1;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  size_t host_size = 0;
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    host_size = bracket + 1;
    if (!is_ipv6_literal(text.substr(0, host_size))) return std::nullopt;
  } else {
    while (host_size < text.size() && contains(unreserved_bytes, text[host_size])) ++host_size;
  }
  if (host_size == 0 || host_size > host_bytes_max) return std::nullopt;

  Authority authority{.host = text.substr(0, host_size)};
  std::string_view rest = text.substr(host_size);
  if (rest.empty()) return authority;
  if (!rest.starts_with(':')) return std::nullopt;
  rest.remove_prefix(1);
  if (rest.empty()) return authority;  // "host:" is "host" (RFC 3986 section 6.2.3).
  const std::optional<uint16_t> port = parse_decimal<uint16_t>(rest);
  if (!port || *port == 0) return std::nullopt;
  authority.port = *port;
  return authority;
}

bool is_same_authority(const Authority& a, const Authority& b, uint16_t default_port) {
  const uint16_t a_port = a.port == 0 ? default_port : a.port;
  const uint16_t b_port = b.port == 0 ? default_port : b.port;
  return a_port == b_port && equals_ignoring_case(a.host, b.host);
}

}  // namespace spillway::http
