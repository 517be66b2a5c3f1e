// http/client_pool.cc: reuse, ageing and closing of idle connections.
#include "http/client_pool.h"

#include <algorithm>
#include <utility>

namespace spillway::http {
namespace {

// Idle connections per endpoint and core: as many as one endpoint can use at once in practice.
constexpr size_t idle_max = 1024;
// How late an idle connection may be closed: small beside the second between our limit and Node's.
constexpr Duration sweep_every = 250ms;
// Our last request must reach the upstream before its own time is over.
constexpr Duration keepalive_margin = 500ms;

}  // namespace

namespace {

using telemetry::MetricType;

const telemetry::Family& family(telemetry::Registry& registry, std::string name, std::string help,
                                MetricType type = MetricType::counter) {
  return registry.family({.name = std::move(name), .help = std::move(help), .type = type});
}

}  // namespace

ClientPoolCounts::ClientPoolCounts(telemetry::Registry& registry, uint32_t core)
    : connects(registry.counter(
          family(registry, "spillway_upstream_connects_total", "Connections opened to upstreams."),
          {}, core)),
      connect_failures(registry.counter(family(registry, "spillway_upstream_connect_failures_total",
                                               "Connections to upstreams that failed to open."),
                                        {}, core)),
      reuses(registry.counter(family(registry, "spillway_upstream_reuses_total",
                                     "Requests sent on a kept-alive upstream connection."),
                              {}, core)),
      found_dead(registry.counter(family(registry, "spillway_upstream_found_dead_total",
                                         "Idle upstream connections that had ended or aged."),
                                  {}, core)),
      idle(registry.gauge(
          family(registry, "spillway_upstream_connections_idle",
                 "Kept-alive upstream connections without a request.", MetricType::gauge),
          {}, core)) {}

std::optional<ClientConnection> ClientPool::reuse(const SocketAddress& address,
                                                  const UpstreamTlsPtr& tls) {
  const auto found = idle_.find(UpstreamKeyView{address, tls});
  if (found == idle_.end()) return std::nullopt;
  auto& connections = found->second;
  while (!connections.empty()) {
    ClientConnection connection = std::move(connections.back());
    connections.pop_back();
    set_idle(idle_count_ - 1);
    // An upstream that says something unasked, or has closed, is not for use.
    if (connection.socket.has_news() || connection.idle_until <= loop_.now()) {
      counts_.found_dead.add();
      continue;
    }
    counts_.reuses.add();
    return connection;
  }
  return std::nullopt;
}

runtime::Task<Result<ClientConnection>> ClientPool::connect(const SocketAddress& address,
                                                            const UpstreamTlsPtr& tls,
                                                            Deadline deadline,
                                                            runtime::Interruption* interruption) {
  counts_.connects.add();
  auto socket = co_await http::connect(loop_, address, tls, "http/1.1", deadline, interruption);
  if (!socket) {
    if (socket.error().code != Error::Code::cancelled) counts_.connect_failures.add();
    co_return fail(std::move(socket).error());
  }
  co_return ClientConnection{.socket = std::move(*socket)};
}

void ClientPool::give_back(const SocketAddress& address, const UpstreamTlsPtr& tls,
                           ClientConnection connection, Duration keepalive) {
  if (connection.keepalive) {
    keepalive = std::min(keepalive, *connection.keepalive - keepalive_margin);
  }
  if (keepalive <= Duration::zero()) return;
  auto found = idle_.find(UpstreamKeyView{address, tls});
  if (found == idle_.end()) found = idle_.try_emplace(UpstreamKey{address, tls}).first;
  auto& connections = found->second;
  if (connections.size() >= idle_max) return;
  connection.idle_until = loop_.now() + keepalive;
  connections.push_back(std::move(connection));
  set_idle(idle_count_ + 1);
  if (!is_armed()) loop_.arm(*this, loop_.now() + sweep_every);
}

void ClientPool::set_idle(size_t count) {
  counts_.idle.add(static_cast<int64_t>(count) - static_cast<int64_t>(idle_count_));
  idle_count_ = count;
}

void ClientPool::clear() {
  idle_.clear();
  set_idle(0);
}

void ClientPool::on_timer(Instant now) {
  for (auto it = idle_.begin(); it != idle_.end();) {
    auto& connections = it->second;
    const auto is_over = [now](const ClientConnection& connection) {
      return connection.idle_until <= now || connection.socket.has_news();
    };
    set_idle(idle_count_ - std::erase_if(connections, is_over));
    it = connections.empty() ? idle_.erase(it) : std::next(it);
  }
  if (idle_count_ > 0) loop_.arm(*this, now + sweep_every);
}

}  // namespace spillway::http
