// server/worker.cc: accepting, serving and draining clients on one core.
#include "server/worker.h"

#include <algorithm>
#include <utility>

#include "base/mutation.h"
#include "http/client_cert.h"
#include "http/proxy_protocol.h"
#include "http/serializer.h"

namespace spillway::server {

using runtime::Task;

namespace {

// Without a descriptor for it a connection stays in the kernel's queue; asking again at once would
// only burn the core.
constexpr Duration accept_pause = 50ms;
// At most so many are told 503 at once; beyond that a connection is just closed.
constexpr uint64_t turned_away_max = 256;

telemetry::Counter counter(telemetry::Registry& registry, uint32_t core, std::string name,
                           std::string help) {
  return registry.counter(registry.family({.name = std::move(name), .help = std::move(help)}), {},
                          core);
}

}  // namespace

Worker::Metrics::Metrics(telemetry::Registry& registry, uint32_t core)
    : accepted(counter(registry, core, "spillway_client_connections_total",
                       "Client connections accepted.")),
      refused(counter(registry, core, "spillway_client_connections_refused_total",
                      "Client connections answered 503 because of resources.connections.")),
      refused_by_ip(counter(registry, core, "spillway_client_connections_by_ip_refused_total",
                            "Connections answered 429, or closed before the handshake of https, "
                            "because of clients.connections.")),
      accept_pauses(counter(registry, core, "spillway_accept_pauses_total",
                            "Pauses of accepting because no descriptor or memory was left.")),
      bad_proxy_headers(counter(registry, core, "spillway_client_bad_proxy_headers_total",
                                "Connections closed for want of a valid PROXY header.")),
      open(registry.gauge(
          registry.family({.name = "spillway_client_connections_open",
                           .help = "Client connections open, idle ones and tunnels included.",
                           .type = telemetry::MetricType::gauge}),
          {}, core)) {}

Worker::Worker(runtime::Loop& loop, const WorkerShared& shared, const gateway::ProxyOptions& proxy,
               const WorkerPlan& plan)
    : loop_(loop),
      shared_(shared),
      metrics_(shared.registry, loop.core()),
      tls_metrics_(shared.registry, loop.core()),
      access_log_(loop.core()),
      plan_(plan),
      context_(loop, shared.registry),
      shared_limits_(loop, shared.resolver, shared.families, shared.redis_reach),
      gateway_({.loop = loop,
                .families = shared.families,
                .active_users = active_users_,
                .via = shared.via,
                .proxy = proxy,
                .want_keys = shared.want_keys,
                .file_pool = shared.file_pool,
                .shared_limits = &shared_limits_,
                .cache = shared.cache},
               plan.routing),
      acceptors_(loop),
      clients_(loop) {
  use(plan);
}

Worker::~Worker() = default;

void Worker::use(const WorkerPlan& plan) {
  if (mutated(Mutation::keeps_old_plan)) return;
  if (plan.routing != plan_.routing) gateway_.use(plan.routing);
  plan_ = plan;
  shared_limits_.use(plan_.routing->config);
  gateway_.use(plan_.client_rules);
  gateway_.use(plan_.switches);
  access_log_.writer = plan.access_log;
  gateway_.set_access_log(plan.access_log == nullptr ? nullptr : &access_log_);
}

void Worker::use(const std::shared_ptr<const gateway::ClientRules>& rules) {
  plan_.client_rules = rules;
  gateway_.use(rules);
}

void Worker::use(const std::shared_ptr<const gateway::Switches>& switches) {
  plan_.switches = switches;
  gateway_.use(switches);
}

Result<void> Worker::listen(int fd, const ListenConfig& config, uint16_t redirect_port) {
  TRY(listener, runtime::Listener::adopt(loop_, fd));
  TRY(address, listener.address());
  Port& port = ports_.emplace_back(Port{.listener = std::move(listener),
                                        .config = config,
                                        .number = address.port,
                                        .redirect_port = redirect_port});
  acceptors_.spawn(accept_all(port));
  return {};
}

Task<void> Worker::accept_all(Port& port) {
  while (is_accepting_) {
    auto accepted = co_await port.listener.accept();
    if (!accepted) {
      if (accepted.error().code == Error::Code::cancelled) continue;
      metrics_.accept_pauses.add();
      shared_.log.warn("cannot accept clients for the moment",
                       {{"error", accepted.error().detail}});
      co_await runtime::sleep(loop_, accept_pause);
      continue;
    }
    if (shared_.connections.try_take()) {
      metrics_.accepted.add();
      clients_.spawn(serve_client(std::move(*accepted), port));
    } else {
      metrics_.refused.add();
      if (clients_.count() < shared_.connections.maximum() + turned_away_max) {
        clients_.spawn(turn_away(std::move(*accepted)));
      }
    }
  }
  port.listener.close();
}

// Overload is shed before it costs memory: one small answer, then the end (RFC 9110
// section 15.6.4).
Task<void> Worker::turn_away(runtime::Accepted accepted) {
  constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\n"
      "content-length: 0\r\n\r\n";
  runtime::Socket socket = std::move(accepted.socket);
  co_await answer_plainly(socket, answer);
}

Task<void> Worker::answer_plainly(runtime::Socket& socket, std::string_view answer) {
  if (!co_await socket.write(answer, Deadline::after(loop_.now(), 1s))) co_return;
  socket.shutdown_write();
  char ignored[1024];
  (void)co_await socket.read(ignored, Deadline::after(loop_.now(), 1s));
}

// Proxies that we trust stand for many clients, and a UNIX socket's peer has no address.
bool Worker::take_place(const IpAddress& client, std::optional<ConnectionsByIp::Place>& place) {
  const gateway::ClientsConfig& config = plan_.routing->config.clients;
  if (!config.connections || client.is_unspecified()) return true;
  const auto has_it = [&client](const IpPrefix& prefix) { return prefix.contains(client); };
  if (std::ranges::any_of(config.trusted_proxies, has_it)) return true;
  const auto& rules = plan_.client_rules;
  if (rules != nullptr && rules->allowed.contains(client, loop_.now())) return true;
  place = shared_.connections_by_ip.take(client, *config.connections);
  return place.has_value();
}

Task<void> Worker::serve_client(runtime::Accepted accepted, const Port& port) {
  constexpr std::string_view too_many =
      "HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\nconnection: close\r\n"
      "content-length: 0\r\n\r\n";
  metrics_.open.add();
  http::ClientInfo client{
      .peer = accepted.peer, .local_port = port.number, .redirect_port = port.redirect_port};
  runtime::Buffer received;
  std::string certificate;
  const bool wants_header = std::ranges::any_of(
      port.config.proxy_protocol,
      [&](const IpPrefix& prefix) { return prefix.contains(accepted.peer.ip); });
  bool goes_on = !wants_header || co_await read_proxy_header(accepted.socket, client, received);
  std::optional<ConnectionsByIp::Place> place;
  if (goes_on && !take_place(client.peer.ip, place)) {
    metrics_.refused_by_ip.add();
    if (!port.config.at.is_secure) co_await answer_plainly(accepted.socket, too_many);
    goes_on = false;
  }
  if (goes_on && port.config.at.is_secure) {
    goes_on =
        co_await shake_hands(accepted.socket, client, std::exchange(received, {}), certificate);
  }
  if (goes_on) {
    http::ServerConnection connection(std::move(accepted.socket), client, context_, plan_.limits,
                                      gateway_);
    connections_.push_back(connection);
    if (is_draining_) connection.drain();
    co_await connection.run(std::move(received));
  }
  metrics_.open.sub();
  shared_.connections.give_back();
}

Task<bool> Worker::shake_hands(runtime::Socket& socket, http::ClientInfo& client,
                               runtime::Buffer received, std::string& certificate) {
  constexpr std::string_view not_https =
      "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n"
      "content-length: 40\r\n\r\n400 Bad Request: this port speaks https\n";
  using Failure = TlsMetrics::Failure;
  const Deadline deadline = Deadline::after(loop_.now(), plan_.handshake_timeout);
  auto shaken = co_await socket.start_tls(
      runtime::TlsServerContext::accept(plan_.tls, loop_, std::move(received)), deadline);
  if (!shaken) {
    const Error::Code code = shaken.error().code;
    const bool is_plain = socket.tls()->met_plain_http();
    tls_metrics_.failed(is_plain                                 ? Failure::plain_http
                        : code == Error::Code::protocol          ? Failure::protocol
                        : code == Error::Code::deadline_exceeded ? Failure::timeout
                                                                 : Failure::closed);
    if (is_plain) {
      socket.end_tls();
      co_await answer_plainly(socket, not_https);
    }
    co_return false;
  }
  const runtime::TlsSession& session = *socket.tls();
  tls_metrics_.shook_hands(session);
  client.is_secure = true;
  client.speaks_http2 = session.protocol() == "h2";
  certificate = http::client_cert_value(session.peer_certificate());
  client.certificate = certificate;
  co_return true;
}

Task<bool> Worker::read_proxy_header(runtime::Socket& socket, http::ClientInfo& client,
                                     runtime::Buffer& received) {
  const Deadline deadline = Deadline::after(loop_.now(), plan_.limits.head_timeout);
  received = loop_.buffers().borrow(runtime::BufferSize::small);
  while (true) {
    auto count = co_await socket.read(received.space(), deadline);
    if (!count || *count == 0) co_return false;
    received.add(*count);
    http::ProxyHeader header;
    const http::ProxyHeaderResult result = http::parse_proxy_header(received.filled(), header);
    if (result.kind == http::ProxyHeaderResult::Kind::need_more) continue;
    if (result.kind == http::ProxyHeaderResult::Kind::violation) {
      metrics_.bad_proxy_headers.add();
      co_return false;
    }
    received.consume(result.consumed);
    if (header.has_addresses) {
      client.peer = SocketAddress{.ip = header.source, .port = header.source_port};
    }
    co_return true;
  }
}

void Worker::stop_accepting() {
  is_accepting_ = false;
  for (Port& port : ports_) port.listener.interrupt();
}

Task<bool> Worker::drain(Deadline deadline) {
  stop_accepting();
  is_draining_ = true;
  for (http::ServerConnection* c = connections_.first(); c != nullptr; c = connections_.next(*c)) {
    c->drain();
  }
  const bool all_ended = (co_await clients_.close(deadline)).has_value();
  if (!all_ended) {
    for (http::ServerConnection* c = connections_.first(); c != nullptr;
         c = connections_.next(*c)) {
      c->cut();
    }
    // What a cut wakes ends at once; what waits for an upstream ends with its socket.
    (void)co_await clients_.close(Deadline::after(loop_.now(), 2s));
  }
  (void)co_await acceptors_.close(Deadline::after(loop_.now(), 1s));
  (void)co_await gateway_.close(Deadline::after(loop_.now(), 1s));
  co_await shared_limits_.close(Deadline::after(loop_.now(), 2s));
  co_return all_ended;
}

}  // namespace spillway::server
