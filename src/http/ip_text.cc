// http/ip_text.cc: inet_pton on a terminated copy on the stack.
#include "http/ip_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/ascii.h"

namespace spillway::http {

std::optional<IpAddress> ip_from_text(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  text.copy(terminated, text.size());
  if (text.find(':') == std::string_view::npos) {
    in_addr v4{};
    if (inet_pton(AF_INET, terminated, &v4) != 1) return std::nullopt;
    return IpAddress::from_v4(ntohl(v4.s_addr));
  }
  std::array<uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, terminated, v6.data()) != 1) return std::nullopt;
  return IpAddress::from_v6(v6);
}

std::optional<IpAddress> ip_from_node(std::string_view node) {
  if (node.size() >= 2 && node.front() == '"' && node.back() == '"') {
    node = node.substr(1, node.size() - 2);
  }
  const auto is_port_or_none = [](std::string_view text) {
    return text.empty() || (text.front() == ':' && parse_decimal<uint16_t>(text.substr(1)));
  };
  if (node.starts_with('[')) {
    const size_t end = node.find(']');
    if (end == std::string_view::npos || !is_port_or_none(node.substr(end + 1)))
      return std::nullopt;
    return ip_from_text(node.substr(1, end - 1));
  }
  const size_t colon = node.find(':');
  const bool is_v4_with_port =
      colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos;
  if (!is_v4_with_port) return ip_from_text(node);
  if (!is_port_or_none(node.substr(colon))) return std::nullopt;
  return ip_from_text(node.substr(0, colon));
}

}  // namespace spillway::http
