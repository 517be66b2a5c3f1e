// deploy/listener_table.h: the listening sockets that outlive every server process.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "deploy/control_protocol.h"
#include "runtime/file_handle.h"
#include "runtime/sd_notify.h"

namespace spillway::deploy {

// Owned by the Supervisor; one core. Connections that arrive while no server runs wait in the
// kernel's queue of these sockets.
class ListenerTable {
 public:
  static constexpr uint32_t sockets_max = 128;  // Of one address: one per worker.
  static constexpr size_t addresses_max = 256;  // Beyond any plan's use.

  struct Held {
    SocketAddress at;     // As asked for.
    SocketAddress bound;  // As bound: another port if `at` has 0.
    std::vector<runtime::FileHandle> sockets;
    bool is_activated = false;  // Opened by the service manager: no more can be bound beside it.
  };

  // The sockets of `request.at`, bound first if needed. Errors: invalid (in use), permission,
  // limit_exceeded, io.
  Result<const Held*> hold(const Listen& request);
  // Error: not_found.
  Result<void> release(const SocketAddress& at);
  // Error: io, if it is no listening socket.
  Result<void> adopt(runtime::ActivatedSocket socket);
  // From before an exec of our own.
  void restore(Held held) { held_.push_back(std::move(held)); }

  const std::vector<Held>& all() const { return held_; }
  // UNIX sockets leave a file behind: at the very end.
  void remove_files();

 private:
  Held* find(const SocketAddress& at);

  std::vector<Held> held_;
};

std::vector<int> descriptors_of(const ListenerTable::Held& held);

}  // namespace spillway::deploy
