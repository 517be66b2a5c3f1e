// runtime/pacing.h: no pacing between processes of one machine.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string_view>

namespace spillway::runtime {

// Over loopback there is no network to share. A system-wide choice such as BBR would still arm a
// timer for every send; reno, which every kernel has, does not. A connection that began under BBR
// stays paced whatever is chosen later, so this is for listeners, whose connections inherit it, and
// for sockets that are not connected yet.
inline void spare_pacing(int fd) {
  constexpr std::string_view name = "reno";
  ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), name.size());
}

}  // namespace spillway::runtime
