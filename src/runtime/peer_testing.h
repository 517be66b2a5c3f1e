// runtime/peer_testing.h: for tests: the far end of a connection, driven by hand.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "runtime/loop.h"

namespace spillway::runtime {

// Longer than any test takes on a busy machine under a sanitizer.
inline constexpr Duration test_patience = 20s;

// Turns the loop until `done()`, false if that takes too long.
template <class Done>
bool turn_until(Loop& loop, Done done) {
  const Instant end = loop.now() + test_patience;
  while (!done()) {
    if (loop.now() >= end) return false;
    loop.run_once(loop.now() + 1ms);
  }
  return true;
}

// One end of a TCP connection over loopback, whose other end some code under test serves on
// `loop`. Everything here turns the loop as far as it needs.
class Peer {
 public:
  Peer(Loop& loop, int fd) : loop_(&loop), fd_(fd) {}
  Peer(Peer&& other) noexcept
      : loop_(other.loop_),
        fd_(std::exchange(other.fd_, -1)),
        received_(std::move(other.received_)),
        ended_(other.ended_),
        was_reset_(other.was_reset_) {}
  Peer& operator=(Peer&& other) noexcept {
    close();
    loop_ = other.loop_;
    fd_ = std::exchange(other.fd_, -1);
    received_ = std::move(other.received_);
    ended_ = other.ended_;
    was_reset_ = other.was_reset_;
    return *this;
  }
  ~Peer() { close(); }

  // Sends all of it, and fails the test if nobody takes it.
  void send(std::string_view bytes) {
    EXPECT_TRUE(turn_until(*loop_, [&] {
      const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
      return bytes.empty() || (count < 0 && errno != EAGAIN);
    })) << "nobody reads";
  }
  // One byte at a time, each seen alone by the other side.
  void trickle(std::string_view bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      send(bytes.substr(i, 1));
      loop_->run_once(loop_->now());
      loop_->run_once(loop_->now());
    }
  }
  // What has arrived so far and was not taken.
  const std::string& received() {
    receive();
    return received_;
  }
  // True once what arrived contains `text`; false after too long, or at the end.
  bool sees(std::string_view text) {
    turn_until(*loop_, [&] {
      receive();
      return received_.contains(text) || ended_;
    });
    return received_.contains(text);
  }
  // Everything up to and with `text`, taken out; a failed test if it never comes.
  std::string take_through(std::string_view text) {
    EXPECT_TRUE(sees(text)) << "waited for: " << text << "\nreceived: " << received_;
    const size_t at = received_.find(text);
    const size_t size = at == std::string::npos ? received_.size() : at + text.size();
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }
  std::string take_head() { return take_through("\r\n\r\n"); }
  std::string take_bytes(size_t count) {
    EXPECT_TRUE(turn_until(*loop_, [&] { return receive() >= count || ended_; }));
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }
  // Everything until the other side closes.
  std::string take_rest() {
    EXPECT_TRUE(turn_until(*loop_,
                           [&] {
                             receive();
                             return ended_;
                           }))
        << "still open; received: " << received_;
    return std::exchange(received_, {});
  }
  // True once more has arrived, or the end.
  bool sees_more() {
    const size_t before = received_.size();
    return turn_until(*loop_, [&] {
      receive();
      return received_.size() > before || ended_;
    });
  }
  bool sees_end() {
    return turn_until(*loop_, [&] {
      receive();
      return ended_;
    });
  }
  // Nothing arrives while the loop turns a few times.
  bool stays_silent(Duration duration = 20ms) {
    const size_t before = receive();
    const Instant end = loop_->now() + duration;
    while (loop_->now() < end) loop_->run_once(loop_->now() + 1ms);
    return receive() == before && !ended_;
  }
  bool has_ended() {
    receive();
    return ended_;
  }
  bool was_reset() const { return was_reset_; }

  void end() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close();
  }
  // So that a slow reader is slow after few bytes.
  void shrink_receive_buffer() {
    const int bytes = 32 << 10;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  int fd() const { return fd_; }

 private:
  size_t receive() {
    char bytes[65536];
    while (!ended_) {
      const ssize_t count = ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) break;
      if (count > 0) {
        received_.append(bytes, static_cast<size_t>(count));
        continue;
      }
      ended_ = true;
      was_reset_ = count < 0;
    }
    return received_.size();
  }

  Loop* loop_;
  int fd_;
  std::string received_;
  bool ended_ = false;
  bool was_reset_ = false;
};

}  // namespace spillway::runtime
