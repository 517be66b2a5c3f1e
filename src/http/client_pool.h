// http/client_pool.h: kept-alive connections to upstreams, per core and address.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "http/client_connection.h"
#include "http/upstream_tls.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "telemetry/registry.h"

namespace spillway::http {

// Of one core.
struct ClientPoolCounts {
  ClientPoolCounts(telemetry::Registry& registry, uint32_t core);

  telemetry::Counter connects;
  telemetry::Counter connect_failures;
  telemetry::Counter reuses;
  telemetry::Counter found_dead;  // Closed by the upstream while idle, and noticed in time.
  telemetry::Gauge idle;
};

// The idle connections of one core. The last one used goes out first, so that a shrinking load
// lets the others age away. One core.
class ClientPool final : runtime::Timer {
 public:
  ClientPool(runtime::Loop& loop, telemetry::Registry& registry)
      : loop_(loop), counts_(registry, loop.core()) {}
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  // An idle connection that is younger than `keepalive` and, as far as known, alive.
  std::optional<ClientConnection> reuse(const SocketAddress& address,
                                        const UpstreamTlsPtr& tls = nullptr);
  // A new one. Errors as http::connect; retry is safe.
  runtime::Task<Result<ClientConnection>> connect(const SocketAddress& address,
                                                  const UpstreamTlsPtr& tls, Deadline deadline,
                                                  runtime::Interruption* interruption = nullptr);
  // Keeps a connection for at most `keepalive`, which must be shorter than the upstream's own
  // limit (Node's is 5 s), and for less if the upstream said so; or closes it if the pool is full.
  void give_back(const SocketAddress& address, const UpstreamTlsPtr& tls,
                 ClientConnection connection, Duration keepalive);
  void clear();

  size_t idle() const { return idle_count_; }

 private:
  void on_timer(Instant now) override;
  void set_idle(size_t count);

  runtime::Loop& loop_;
  std::unordered_map<UpstreamKey, std::vector<ClientConnection>, UpstreamKeyHash, UpstreamKeyEqual>
      idle_;  // Oldest first.
  size_t idle_count_ = 0;
  ClientPoolCounts counts_;
};

}  // namespace spillway::http
