// runtime/loop_testing.h: for tests: a loop, its tasks, and connections whose far end is a Peer.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/address.h"
#include "runtime/epoll_driver.h"
#include "runtime/gate.h"
#include "runtime/listener.h"
#include "runtime/loop.h"
#include "runtime/peer_testing.h"
#include "runtime/socket.h"
#include "runtime/socket_address.h"

namespace spillway::runtime {

// A listening socket whose connections are accepted, or not, by hand.
class PeerListener {
 public:
  explicit PeerListener(Loop& loop)
      : loop_(loop), fd_(*listen_on(*SocketAddress::parse("127.0.0.1:0"), {})) {}
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;
  ~PeerListener() { close(); }

  SocketAddress address() const { return *bound_address(fd_); }
  // The next connection, once it is there.
  Peer accept() {
    int fd = -1;
    EXPECT_TRUE(turn_until(loop_, [&] { return (fd = accept_fd()) >= 0; })) << "nobody connects";
    return {loop_, fd};
  }
  // The next connection, if it is there.
  std::optional<Peer> try_accept() {
    const int fd = accept_fd();
    if (fd < 0) return std::nullopt;
    return Peer(loop_, fd);
  }
  // Nobody connects while the loop turns a few times.
  bool stays_silent() {
    const Instant end = loop_.now() + 20ms;
    while (loop_.now() < end) loop_.run_once(loop_.now() + 1ms);
    const int fd = accept_fd();
    if (fd >= 0) ::close(fd);
    return fd < 0;
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int accept_fd() const { return ::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); }

  Loop& loop_;
  int fd_;
};

// A listening socket whose queue is full: whoever connects hears nothing.
class FullListener {
 public:
  FullListener() {
    fds_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fds_[0], reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(::listen(fds_[0], 0), 0);
    sockaddr_storage at{};
    const socklen_t length = to_system(address(), at);
    for (int i = 0; i < 3; ++i) {  // A queue of 0 holds one, and one more that nobody has seen.
      fds_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      (void)::connect(fds_.back(), reinterpret_cast<sockaddr*>(&at), length);
    }
  }
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  ~FullListener() {
    for (const int fd : fds_) ::close(fd);
  }
  SocketAddress address() const { return *bound_address(fds_[0]); }

 private:
  std::vector<int> fds_;  // The listener first.
};

// A TCP connection over loopback: one end for the code under test, one to drive.
struct SocketAndPeer {
  Socket socket;
  Peer peer;
};
inline SocketAndPeer connected_pair(Loop& loop) {
  // The kernel takes little of what nobody reads.
  const int send_bytes = 32 << 10;
  const int listener = *listen_on(*SocketAddress::parse("127.0.0.1:0"), {});
  const SocketAddress at = *bound_address(listener);
  sockaddr_storage address{};
  const socklen_t length = to_system(at, address);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  ::setsockopt(accepted, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
  ::close(listener);
  return {*Socket::adopt(loop, accepted), Peer(loop, fd)};
}

// A loop, and tasks that a test lets run on it while it goes on by hand.
class PeerTest : public ::testing::Test {
 protected:
  void start(Task<void> task) { tasks.spawn(std::move(task)); }
  // Turns the loop until all tasks have ended.
  void finish() {
    EXPECT_TRUE(turn_until(loop, [this] { return tasks.count() == 0; })) << "a task has not ended";
  }
  // Runs one task to its end.
  void run(Task<void> task) {
    start(std::move(task));
    finish();
  }
  Deadline soon(Duration d = test_patience) const { return Deadline::after(loop.now(), d); }
  void turn(int turns = 5) {
    for (int i = 0; i < turns; ++i) loop.run_once(loop.now());
  }
  // Turns the loop for this long.
  void let_pass(Duration time) {
    const Instant end = loop.now() + time;
    while (loop.now() < end) loop.run_once(end);
  }

  Loop loop{*make_epoll_driver(), 0, 1};
  Gate tasks{loop};
};

}  // namespace spillway::runtime
