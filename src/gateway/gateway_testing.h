// gateway/gateway_testing.h: for tests: a gateway between clients and upstreams driven by hand.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/gateway.h"
#include "http/server_connection.h"
#include "runtime/loop_testing.h"

namespace spillway::gateway {

class LinesKept final : public AccessSink {
 public:
  void append(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

// One service "app" behind the route "/*", unless a test changes them before the first connect().
class GatewayTest : public runtime::PeerTest {
 protected:
  GatewayTest() {
    config.ejection.reset();
    config.retries.budget.least = {.count = 100, .per = 1s};
  }
  ~GatewayTest() override {
    for (auto& connection : connections) connection->cut();
    finish();
    if (gateway) run(close(*gateway));
  }
  static runtime::Task<void> close(Gateway& gateway) {
    EXPECT_TRUE((co_await gateway.close(Deadline::never())).has_value());
  }

  // The gateway as the fields below say, made at the first call.
  Gateway& made() {
    if (gateway) return *gateway;
    service = std::make_shared<Service>("app", config);
    std::vector<upstream::EndpointSpec> specs;
    for (const SocketAddress& address : endpoints) {
      specs.push_back({.name = to_string(address), .address = address, .is_proven = true});
    }
    service->with([&](ServiceState& state) { state.cluster.set_endpoints(specs, loop.now()); });
    if (!route.files) route.service = "app";
    services["app"] = service;
    auto routing = std::make_shared<Routing>(
        RoutingParts{.config = {.routes = {route},
                                .clients = clients,
                                .parameters_max = parameters_max,
                                .limits = limit_configs,
                                .cors = cors,
                                .security_headers = security_headers,
                                .compress = compress,
                                .cache = cache_config,
                                .maintenance = maintenance,
                                .folder = folder},
                     .services = services,
                     .limits = make_rate_limits(limit_configs, {}, loop.random()),
                     .identity = identity,
                     .authority = authority,
                     .pages = pages});
    gateway.emplace(GatewayParts{.loop = loop,
                                 .families = families,
                                 .active_users = active_users,
                                 .via = via,
                                 .proxy = options,
                                 .want_keys = [this] { ++keys_wanted; },
                                 .file_pool = &pool,
                                 .shared_limits = shared_limits,
                                 .cache = &cache},
                    std::move(routing));
    return *gateway;
  }
  // A client, connected.
  runtime::Peer connect() {
    auto pair = runtime::connected_pair(loop);
    connections.push_back(std::make_unique<http::ServerConnection>(std::move(pair.socket), client,
                                                                   context, limits, made()));
    start(connections.back()->run());
    return std::move(pair.peer);
  }
  uint64_t count_of(uint64_t upstream::EndpointCounters::* counter) {
    return service->with([&](ServiceState& state) {
      uint64_t sum = 0;
      for (const auto& endpoint : state.cluster.status(loop.now()).endpoints) {
        sum += endpoint.counters.*counter;
      }
      return sum;
    });
  }
  uint32_t queue_length() {
    return service->with([](ServiceState& state) { return state.cluster.queue_length(); });
  }
  uint32_t in_flight() {
    return service->with([&](ServiceState& state) {
      uint32_t sum = 0;
      for (const auto& endpoint : state.cluster.status(loop.now()).endpoints) {
        sum += endpoint.in_flight;
      }
      return sum;
    });
  }

  runtime::BlockingPool pool{{.threads = 1}};
  telemetry::Registry registry{1};
  MetricFamilies families{registry};
  telemetry::ActiveUsers active_users;
  http::Via via{"spillway-test"};
  http::ServerContext context{loop, registry};
  http::ClientInfo client{.peer = *SocketAddress::parse("192.0.2.7:4711")};
  http::ServerLimits limits;

  upstream::ClusterConfig config;
  RouteConfig route;
  ClientsConfig clients;
  uint32_t parameters_max = 1000;
  std::map<std::string, LimitConfig> limit_configs;
  std::optional<CorsConfig> cors;
  std::optional<SecurityHeadersConfig> security_headers;
  std::optional<CompressConfig> compress;
  CacheConfig cache_config;
  MaintenanceConfig maintenance;
  std::string folder;  // Of the plan.
  std::shared_ptr<const Pages> pages;
  ProxyOptions options;
  std::vector<SocketAddress> endpoints;
  std::shared_ptr<Service> service;
  std::map<std::string, std::shared_ptr<Service>> services;  // Beside "app".
  std::shared_ptr<const IdentityRules> identity;
  std::shared_ptr<Service> authority;
  int keys_wanted = 0;
  SharedLimits* shared_limits = nullptr;
  SharedCache cache{1 << 20};
  std::optional<Gateway> gateway;
  std::vector<std::unique_ptr<http::ServerConnection>> connections;
  LinesKept log;  // For set_access_log().
};

inline const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
inline const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace spillway::gateway
