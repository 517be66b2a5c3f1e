// runtime/socket_address.cc: the three address families.
#include "runtime/socket_address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>

namespace spillway::runtime {

socklen_t to_system(const SocketAddress& address, sockaddr_storage& into) {
  if (address.is_unix()) {
    auto& un = reinterpret_cast<sockaddr_un&>(into);
    un.sun_family = AF_UNIX;
    std::memcpy(un.sun_path, address.unix_path.data(), address.unix_path.size());
    un.sun_path[address.unix_path.size()] = '\0';
    return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.unix_path.size() + 1);
  }
  if (address.ip.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(into);
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port);
    std::memcpy(&in.sin_addr, address.ip.bytes().data() + 12, 4);
    return sizeof(sockaddr_in);
  }
  auto& in6 = reinterpret_cast<sockaddr_in6&>(into);
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(address.port);
  std::memcpy(&in6.sin6_addr, address.ip.bytes().data(), 16);
  return sizeof(sockaddr_in6);
}

SocketAddress from_system(const sockaddr_storage& address, socklen_t length) {
  SocketAddress result;
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    result.ip = IpAddress::from_v4(ntohl(in.sin_addr.s_addr));
    result.port = ntohs(in.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(address);
    std::array<uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &in6.sin6_addr, 16);
    result.ip = IpAddress::from_v6(bytes);
    result.port = ntohs(in6.sin6_port);
  } else {
    const auto& un = reinterpret_cast<const sockaddr_un&>(address);
    const size_t path_offset = offsetof(sockaddr_un, sun_path);
    const bool is_named = length > path_offset && un.sun_path[0] != '\0';
    result.unix_path = is_named ? un.sun_path : "?";
  }
  return result;
}

}  // namespace spillway::runtime
