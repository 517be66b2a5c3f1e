// runtime/socket.h: a stream connection (TCP or UNIX): connect, read, write, each with a deadline.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/address.h"
#include "base/error.h"
#include "runtime/descriptor.h"
#include "runtime/interruption.h"
#include "runtime/task.h"
#include "runtime/tls_session.h"

namespace spillway::runtime {

// Owns one connection. At most one read and one write at a time, each by one coroutine. Movable
// while neither is under way. One core: the one whose loop it was made on.
class Socket {
 public:
  // Errors: connection_refused (nothing was sent: retry safe), deadline_exceeded, overloaded, and
  // cancelled by `interruption`, which may be null.
  static Task<Result<Socket>> connect(Loop& loop, SocketAddress to, Deadline deadline,
                                      Interruption* interruption = nullptr);
  // Takes over a connected, non-blocking descriptor.
  static Result<Socket> adopt(Loop& loop, int fd);

  Socket() = default;
  explicit operator bool() const { return static_cast<bool>(descriptor_); }
  Loop& loop() const { return descriptor_.loop(); }

  // Waits for input without holding a buffer (see Descriptor).
  auto wait_readable(Deadline deadline) { return descriptor_.wait_readable(deadline); }
  auto wait_for_newcomer(Deadline deadline) { return descriptor_.wait_for_newcomer(deadline); }

  // Reads what has arrived, at least one byte, at most into.size(); 0 when the peer has ended.
  // Errors: connection_closed (reset), deadline_exceeded, cancelled.
  auto read(std::span<char> into, Deadline deadline) {
    return Read(descriptor_.watch(), into, deadline);
  }
  // Speaks TLS from now on: all that is read and written passes through `session`. The socket keeps
  // the session, whatever comes of the handshake. Errors: protocol (see tls()->trouble()),
  // connection_closed, deadline_exceeded, cancelled.
  auto start_tls(std::unique_ptr<TlsSession> session, Deadline deadline) {
    descriptor_.watch().tls = std::move(session);
    return Handshake(descriptor_.watch(), deadline);
  }
  // After a handshake that failed: bytes go as they are again.
  void end_tls() { descriptor_.watch().tls = nullptr; }
  const TlsSession* tls() const { return descriptor_.watch().tls.get(); }  // Null without TLS.

  // Writes all of `parts`, which it uses up. The bytes must stay until the await has ended. After
  // an error an unknown part was sent. Errors as for read.
  auto write(std::span<iovec> parts, Deadline deadline) {
    return Write(descriptor_.watch(), parts, deadline, std::nullopt);
  }
  auto write(std::string_view bytes, Deadline deadline) {
    return Write(descriptor_.watch(), bytes, deadline, std::nullopt);
  }
  // The same, given up only when no byte was taken for `stall_max`: a slow reader is not a dead
  // one.
  auto write(std::span<iovec> parts, Duration stall_max) {
    return Write(descriptor_.watch(), parts, Deadline::after(loop().now(), stall_max), stall_max);
  }

  // The next bytes of `file`, one to `size`, from the kernel's memory: how many went. REQUIRES: no
  // TLS. Errors as above; protocol: the file ends before `offset`.
  auto send_file(int file, uint64_t offset, size_t size, Duration stall_max) {
    return SendFile(descriptor_.watch(), file, offset, size,
                    Deadline::after(loop().now(), stall_max));
  }

  // Ends a wait that is under way on the other side of a relay with `cancelled`.
  void interrupt_reader() { descriptor_.interrupt_reader(); }
  void interrupt_writer() { descriptor_.interrupt_writer(); }

  // The connection cannot answer any more, as far as we have been told.
  bool is_broken() const { return descriptor_.is_broken(); }
  bool peer_has_ended() const { return descriptor_.peer_has_ended(); }
  // Something has arrived, or the end, that nobody has read: a kept-alive connection like that is
  // not for use.
  bool has_news() const {
    const Watch& watch = descriptor_.watch();
    if (watch.tls != nullptr) return has_tls_news();
    return watch.ready & (readable | peer_ended | broken);
  }

  // Null to listen no more. Called from the loop, never from inside a read or write.
  void set_hangup_listener(HangupListener* listener) { descriptor_.watch().hangup = listener; }

  void shutdown_write();
  void reset_on_close();
  void close() { descriptor_.close(); }
  int release() { return descriptor_.release(); }

 private:
  class Read final : public IoWait {
   public:
    Read(Watch& watch, std::span<char> into, Deadline deadline)
        : IoWait(deadline), watch_(watch), into_(into) {}
    bool await_ready() { return attempt(watch_); }
    void await_suspend(std::coroutine_handle<> handle) {
      suspend(handle);
      watch_.wait(watch_.reader, *this);
    }
    Result<size_t> await_resume();
    bool attempt(Watch& watch) override;
    void give_up(Error::Code code) override { gave_up_ = code; }

   private:
    Watch& watch_;
    std::span<char> into_;
    int64_t result_ = 0;
    std::optional<Error::Code> gave_up_;
  };

  class Handshake final : public IoWait {
   public:
    Handshake(Watch& watch, Deadline deadline) : IoWait(deadline), watch_(watch) {}
    bool await_ready() { return attempt(watch_); }
    void await_suspend(std::coroutine_handle<> handle) {
      suspend(handle);
      watch_.wait(watch_.reader, *this);
    }
    Result<void> await_resume();
    bool attempt(Watch& watch) override;
    void give_up(Error::Code code) override { gave_up_ = code; }

   private:
    Watch& watch_;
    int64_t result_ = 0;
    std::optional<Error::Code> gave_up_;
  };

  class Write final : public IoWait {
   public:
    Write(Watch& watch, std::span<iovec> parts, Deadline deadline,
          std::optional<Duration> stall_max)
        : IoWait(deadline), watch_(watch), parts_(parts), stall_max_(stall_max) {}
    Write(Watch& watch, std::string_view bytes, Deadline deadline, std::nullopt_t)
        : IoWait(deadline),
          watch_(watch),
          single_{const_cast<char*>(bytes.data()), bytes.size()},
          parts_(&single_, 1) {}
    Write(const Write&) = delete;  // parts_ may point inside.
    Write& operator=(const Write&) = delete;
    bool await_ready() { return attempt(watch_); }
    void await_suspend(std::coroutine_handle<> handle) {
      suspend(handle);
      watch_.wait(watch_.writer, *this);
    }
    Result<void> await_resume();
    bool attempt(Watch& watch) override;
    void give_up(Error::Code code) override { gave_up_ = code; }

   private:
    bool advance(size_t sent);  // True once everything is sent.
    bool attempt_tls(Watch& watch);

    Watch& watch_;
    iovec single_{};
    std::span<iovec> parts_;
    std::optional<Duration> stall_max_;  // If set, each byte taken renews the deadline.
    int64_t error_ = 0;
    std::optional<Error::Code> gave_up_;
  };

  class SendFile final : public IoWait {
   public:
    SendFile(Watch& watch, int file, uint64_t offset, size_t size, Deadline deadline)
        : IoWait(deadline), watch_(watch), file_(file), offset_(offset), size_(size) {}
    bool await_ready() { return attempt(watch_); }
    void await_suspend(std::coroutine_handle<> handle) {
      suspend(handle);
      watch_.wait(watch_.writer, *this);
    }
    Result<size_t> await_resume();
    bool attempt(Watch& watch) override;
    void give_up(Error::Code code) override { gave_up_ = code; }

   private:
    Watch& watch_;
    const int file_;
    const uint64_t offset_;
    const size_t size_;
    int64_t result_ = 0;
    std::optional<Error::Code> gave_up_;
  };

  explicit Socket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  bool has_tls_news() const;
  Descriptor descriptor_;
};

}  // namespace spillway::runtime
