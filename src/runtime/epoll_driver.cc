// runtime/epoll_driver.cc: epoll, eventfd and the socket calls.
#include "runtime/epoll_driver.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

#include "runtime/descriptor.h"
#include "runtime/pacing.h"
#include "runtime/socket_address.h"

namespace spillway::runtime {
namespace {

constexpr int events_max = 512;  // Per turn; what is left is reported in the next.

uint8_t readiness_of(uint32_t events) {
  uint8_t ready = 0;
  if (events & EPOLLIN) ready |= readable;
  if (events & EPOLLOUT) ready |= writable;
  if (events & EPOLLRDHUP) ready |= readable | peer_ended;
  if (events & (EPOLLHUP | EPOLLERR)) ready |= readable | writable | peer_ended | broken;
  return ready;
}

class EpollDriver final : public Driver {
 public:
  EpollDriver(int epoll, int wake_event) : epoll_(epoll), wake_event_(wake_event) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_event_, &event);
  }
  EpollDriver(const EpollDriver&) = delete;
  EpollDriver& operator=(const EpollDriver&) = delete;
  ~EpollDriver() override {
    ::close(wake_event_);
    ::close(epoll_);
  }

  Instant now() override {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return Instant::from_nanoseconds(time.tv_sec * 1'000'000'000 + time.tv_nsec);
  }
  WallTime wall_now() override { return std::chrono::system_clock::now(); }

  int watch(Watch& watch) override {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watch;
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, watch.fd, &event) == 0 ? 0 : -errno;
  }
  void unwatch(Watch& watch) override { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, watch.fd, nullptr); }

  void wait(Instant until, Loop& loop) override;
  void wake() override {
    const uint64_t one = 1;
    // A full counter means that a wake-up is due anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_event_, &one, sizeof one);
  }

  int local_address(int fd, SocketAddress& address) override;
  int accept(int listener, SocketAddress& peer) override;
  int connect(const SocketAddress& to) override;
  int connect_result(int fd) override;
  int64_t receive(int fd, std::span<char> into) override {
    const ssize_t count = ::recv(fd, into.data(), into.size(), 0);
    return count >= 0 ? count : -errno;
  }
  int64_t send(int fd, std::span<const iovec> parts) override;
  int64_t send_file(int fd, int file, uint64_t offset, size_t size) override;
  void shutdown_write(int fd) override { ::shutdown(fd, SHUT_WR); }
  void reset_on_close(int fd) override {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  void close(int fd) override { ::close(fd); }

 private:
  int timeout_until(Instant until);

  const int epoll_;
  const int wake_event_;
  std::array<epoll_event, events_max> events_{};
};

int EpollDriver::timeout_until(Instant until) {
  if (until == Instant::max()) return -1;
  const Duration left = until - now();
  if (left <= Duration::zero()) return 0;
  const auto rounded_up = (left + 999'999ns).count() / 1'000'000;
  return static_cast<int>(std::min<int64_t>(rounded_up, 1'000'000));
}

void EpollDriver::wait(Instant until, Loop& loop) {
  const int count = ::epoll_wait(epoll_, events_.data(), events_max, timeout_until(until));
  loop.on_woken(now());
  for (int i = 0; i < count; ++i) {
    if (auto* watch = static_cast<Watch*>(events_[i].data.ptr)) {
      loop.on_ready(*watch, readiness_of(events_[i].events));
    }
  }
}

int EpollDriver::local_address(int fd, SocketAddress& address) {
  sockaddr_storage system{};
  socklen_t length = sizeof system;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&system), &length) != 0) return -errno;
  address = from_system(system, length);
  return 0;
}

int EpollDriver::accept(int listener, SocketAddress& peer) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&address), &length,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return -errno;
  peer = from_system(address, length);
  if (!peer.is_unix() && peer.ip.is_loopback()) spare_pacing(fd);
  return fd;
}

int EpollDriver::connect(const SocketAddress& to) {
  sockaddr_storage address{};
  const socklen_t length = to_system(to, address);
  const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  if (!to.is_unix()) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (to.ip.is_loopback()) spare_pacing(fd);
  }
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 || errno == EINPROGRESS) {
    return fd;
  }
  const int error = errno;
  ::close(fd);
  return -error;
}

int EpollDriver::connect_result(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

int64_t EpollDriver::send(int fd, std::span<const iovec> parts) {
  ssize_t count = 0;
  if (parts.size() == 1) {
    count = ::send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = parts.size();
    count = ::sendmsg(fd, &message, MSG_NOSIGNAL);
  }
  return count >= 0 ? count : -errno;
}

int64_t EpollDriver::send_file(int fd, int file, uint64_t offset, size_t size) {
  auto position = static_cast<off_t>(offset);
  const ssize_t count = ::sendfile(fd, file, &position, size);
  return count >= 0 ? count : -errno;
}

}  // namespace

Result<std::unique_ptr<Driver>> make_epoll_driver() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return fail(system_error(errno, "epoll_create1"));
  const int wake_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_event < 0) {
    const int error = errno;
    ::close(epoll);
    return fail(system_error(error, "eventfd"));
  }
  return std::make_unique<EpollDriver>(epoll, wake_event);
}

}  // namespace spillway::runtime
