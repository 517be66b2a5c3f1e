// runtime/socket_address.h: SocketAddress to and from the kernel's form.
#pragma once

#include <sys/socket.h>

#include "base/address.h"

namespace spillway::runtime {

// Fills `into` (AF_INET for IPv4, AF_INET6 or AF_UNIX) and returns its length.
socklen_t to_system(const SocketAddress& address, sockaddr_storage& into);
// An unnamed UNIX peer becomes the address "unix:?": it is local, and has no name.
SocketAddress from_system(const sockaddr_storage& address, socklen_t length);

}  // namespace spillway::runtime
