// bench/stream.h: non-blocking loopback sockets and the bytes one of them still owes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace bench {

[[noreturn]] inline void die(const char* doing) {
  std::perror(doing);
  std::exit(1);
}

inline sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline void set_no_delay(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// Without what the system's choice, such as BBR, costs for every send.
inline void set_plain_control(int fd) { setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4); }

inline int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  set_plain_control(fd);
  const sockaddr_in address = loopback(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(fd, 4096) != 0) die("listen");
  return fd;
}

// Edge-triggered for both directions, registered once and never changed.
inline void watch(int epoll, int fd, void* data) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = data;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

// Sends at once what the socket takes and keeps the rest until it is writable again.
class Outbox {
 public:
  // False: the connection is gone.
  bool send(int fd, std::string_view bytes) {
    if (!owed_.empty()) {
      owed_.append(bytes);
      return true;
    }
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    owed_.append(bytes.substr(sent < 0 ? 0 : static_cast<size_t>(sent)));
    return true;
  }
  bool flush(int fd) {
    if (owed_.empty()) return true;
    std::string bytes;
    bytes.swap(owed_);
    return send(fd, bytes);
  }
  bool is_empty() const { return owed_.empty(); }

 private:
  std::string owed_;
};

}  // namespace bench
