// runtime/listener.h: a listening socket on one core: bind, accept, and bearing descriptor famine.
#pragma once

#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/error.h"
#include "runtime/descriptor.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::runtime {

struct ListenOptions {
  bool reuse_port = true;  // One socket a core on the same address; the kernel spreads (socket(7)).
  uint32_t unix_mode = 0660;
  int backlog = 4096;  // Cut to net.core.somaxconn by the kernel.
};

// A bound, listening, non-blocking descriptor. "[::]" listens on IPv4 as well. A UNIX path left
// behind by a dead process is replaced; one that answers is not. Errors: invalid (in use),
// permission, io.
Result<int> listen_on(const SocketAddress& address, const ListenOptions& options);
// Where a listening descriptor is bound: the port that was given for port 0.
Result<SocketAddress> bound_address(int fd);

struct Accepted {
  Socket socket;
  SocketAddress peer;
};

// Accepts on one core. Owns its descriptor (a duplicate; others may hold the same socket).
class Listener {
 public:
  static Result<Listener> adopt(Loop& loop, int fd);

  // The next connection. Errors: cancelled (by interrupt); overloaded (no descriptor or memory:
  // the caller pauses, and the connection waits in the kernel's queue).
  Task<Result<Accepted>> accept();
  // Where it is bound: the port that was given for port 0.
  Result<SocketAddress> address() const;
  void interrupt() { descriptor_.interrupt_reader(); }
  void close() { descriptor_.close(); }

 private:
  explicit Listener(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  Descriptor descriptor_;
};

}  // namespace spillway::runtime
