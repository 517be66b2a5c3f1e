// runtime/driver.h: the seam between a loop and the world: clock, readiness and sockets.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/address.h"
#include "base/time.h"

namespace spillway::runtime {

struct Watch;

// What a descriptor can do without blocking. Edge-triggered: a bit is set when it becomes true and
// is cleared by whoever finds that it no longer is.
enum Readiness : uint8_t {
  readable = 1,
  writable = 2,
  peer_ended = 4,  // The peer sends no more (FIN), or the connection is gone.
  broken = 8,      // The connection is gone in both directions (reset, hang-up).
};

// Two real versions exist: `EpollDriver` (the kernel) and sim's (a seeded world). Results of socket
// calls are the kernel's: a count or descriptor, or a negative errno. One core, except wake().
class Driver {
 public:
  virtual ~Driver() = default;

  virtual Instant now() = 0;
  virtual WallTime wall_now() = 0;

  // From now on readiness of `watch.fd` is collected into `watch.ready`. The watch stays in place
  // until unwatch(). Error: -ENOSPC or -ENOMEM when the system's bound is reached.
  virtual int watch(Watch& watch) = 0;
  virtual void unwatch(Watch& watch) = 0;

  // Waits until something is ready, wake() was called or `until` has come, then tells the time
  // through `Loop::on_woken` and reports each watch whose readiness changed through
  // `Loop::on_ready`. Returns at once if `until` is past.
  virtual void wait(Instant until, class Loop& loop) = 0;
  virtual void wake() = 0;  // Any thread.

  virtual int local_address(int fd, SocketAddress& address) = 0;  // getsockname(2): 0 or -errno.
  virtual int accept(int listener, SocketAddress& peer) = 0;
  // A non-blocking connect: the descriptor; it becomes writable when the attempt has ended.
  virtual int connect(const SocketAddress& to) = 0;
  virtual int connect_result(int fd) = 0;                     // 0, or why the attempt failed.
  virtual int64_t receive(int fd, std::span<char> into) = 0;  // 0: the peer has ended.
  virtual int64_t send(int fd, std::span<const iovec> parts) = 0;
  // Bytes of a file, without a copy of ours. 0: the file ends before `offset`.
  virtual int64_t send_file(int fd, int file, uint64_t offset, size_t size) = 0;
  virtual void shutdown_write(int fd) = 0;
  // The next close sends a reset, so that a truncated answer is seen as truncated.
  virtual void reset_on_close(int fd) = 0;
  virtual void close(int fd) = 0;
};

}  // namespace spillway::runtime
