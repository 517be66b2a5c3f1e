// http/client_pool.h: kept-alive connections to upstreams, per core and address.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "base/address.h"
#include "base/error.h"
#include "http/client_connection.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace spillway::http {

struct ClientPoolCounts {
  uint64_t connects = 0;
  uint64_t connect_failures = 0;
  uint64_t reuses = 0;
  uint64_t found_dead = 0;  // Closed by the upstream while idle, and noticed in time.
};

// The idle connections of one core. The last one used goes out first, so that a shrinking load
// lets the others age away. One core.
class ClientPool final : runtime::Timer {
 public:
  explicit ClientPool(runtime::Loop& loop) : loop_(loop) {}
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  // An idle connection that is younger than `keepalive` and, as far as known, alive.
  std::optional<ClientConnection> reuse(const SocketAddress& address);
  // A new one. Errors as Socket::connect; retry is safe.
  runtime::Task<Result<ClientConnection>> connect(const SocketAddress& address, Deadline deadline);
  // Keeps a connection for at most `keepalive`, which must be shorter than the upstream's own
  // limit (Node's is 5 s), or closes it if the pool is full.
  void give_back(const SocketAddress& address, ClientConnection connection, Duration keepalive);
  // Closes the idle connections to an endpoint that is gone.
  void forget(const SocketAddress& address);
  void clear();

  size_t idle() const { return idle_count_; }
  const ClientPoolCounts& counts() const { return counts_; }

 private:
  void on_timer(Instant now) override;

  runtime::Loop& loop_;
  std::map<SocketAddress, std::deque<ClientConnection>> idle_;  // Oldest first.
  size_t idle_count_ = 0;
  ClientPoolCounts counts_;
};

}  // namespace spillway::http
