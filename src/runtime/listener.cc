// runtime/listener.cc: binding and accepting.
#include "runtime/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/pacing.h"
#include "runtime/socket_address.h"

namespace spillway::runtime {
namespace {

void set_option(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// A UNIX socket's file outlives its process. Only one that refuses connections may be replaced.
void remove_dead_unix_socket(const SocketAddress& address) {
  struct stat status{};
  if (::stat(address.unix_path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_storage system{};
  const socklen_t length = to_system(address, system);
  const bool is_dead =
      ::connect(probe, reinterpret_cast<sockaddr*>(&system), length) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  if (is_dead) ::unlink(address.unix_path.c_str());
}

Result<void> bind_and_listen(int fd, const SocketAddress& address, const ListenOptions& options) {
  sockaddr_storage system{};
  const socklen_t length = to_system(address, system);
  if (address.is_unix()) {
    remove_dead_unix_socket(address);
  } else {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.reuse_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!address.ip.is_v4()) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // Inherited by what is accepted.
    if (address.ip.is_loopback()) spare_pacing(fd);
  }
  if (::bind(fd, reinterpret_cast<sockaddr*>(&system), length) != 0) {
    return fail(system_error(errno, "bind " + to_string(address)));
  }
  if (address.is_unix()) ::chmod(address.unix_path.c_str(), options.unix_mode);
  if (::listen(fd, options.backlog) != 0) {
    return fail(system_error(errno, "listen on " + to_string(address)));
  }
  return {};
}

}  // namespace

Result<int> listen_on(const SocketAddress& address, const ListenOptions& options) {
  const int family = address.is_unix() ? AF_UNIX : address.ip.is_v4() ? AF_INET : AF_INET6;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(system_error(errno, "socket for " + to_string(address)));
  if (auto listening = bind_and_listen(fd, address, options); !listening) {
    ::close(fd);
    return fail(std::move(listening).error());
  }
  return fd;
}

Result<SocketAddress> bound_address(int fd) {
  sockaddr_storage system{};
  socklen_t length = sizeof system;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&system), &length) != 0) {
    return fail(system_error(errno, "getsockname"));
  }
  return from_system(system, length);
}

Result<Listener> Listener::adopt(Loop& loop, int fd) {
  TRY(descriptor, Descriptor::adopt(loop, fd));
  return Listener(std::move(descriptor));
}

Result<SocketAddress> Listener::address() const {
  SocketAddress address;
  const int error = descriptor_.loop().driver().local_address(descriptor_.fd(), address);
  if (error != 0) return fail(system_error(-error, "getsockname"));
  return address;
}

Task<Result<Accepted>> Listener::accept() {
  Loop& loop = descriptor_.loop();
  while (true) {
    CO_TRY_VOID(co_await descriptor_.wait_readable(Deadline::never()));
    SocketAddress peer;
    const int fd = loop.driver().accept(descriptor_.fd(), peer);
    if (fd >= 0) {
      CO_TRY(socket, Socket::adopt(loop, fd));
      co_return Accepted{std::move(socket), std::move(peer)};
    }
    if (fd == -EAGAIN) {
      descriptor_.clear_readable();
      continue;
    }
    // The client gave up while queued: the next one (accept(2), "Error handling").
    if (fd == -ECONNABORTED || fd == -EPROTO || fd == -EPERM || fd == -EINTR) continue;
    co_return fail(system_error(-fd, "accept"));
  }
}

}  // namespace spillway::runtime
