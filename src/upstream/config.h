// upstream/config.h: what the plan says of how a service's endpoints are chosen and spared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "base/time.h"
#include "upstream/balance.h"
#include "upstream/health_config.h"
#include "upstream/retry_config.h"
#include "upstream/tls_config.h"

namespace spillway::upstream {

namespace limits {
// The memory of a cluster is proportional to these; a larger service belongs behind several names.
inline constexpr uint32_t endpoints_max = 1024;
// Keeps the ring of ring_hash and the sums of the balancers small.
inline constexpr uint32_t weight_max = 1000;
}  // namespace limits

// What the endpoints of a service speak.
enum class UpstreamProtocol : uint8_t { http1, http2 };
constexpr std::array<std::string_view, 2> enum_names(UpstreamProtocol) {
  return {"http1", "http2"};
}

// A client keeps the endpoint that a cookie names, for as long as it is healthy.
struct StickyConfig {
  std::string cookie = "spillway_endpoint";
  std::optional<Duration> ttl;

  bool operator==(const StickyConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("cookie", &StickyConfig::cookie, {.doc = "Name of the cookie."});
    visit.field("ttl", &StickyConfig::ttl,
                {.doc = "Max-Age of the cookie; absent: until the browser is closed.",
                 .minimum = 1,
                 .maximum = 34560000,
                 .unit = "s"});
  }
};

struct TimeoutConfig {
  Duration connect = 3s;
  Duration first_byte = 30s;
  Duration idle = 60s;
  Duration total = 30s;
  Duration keepalive = 4s;
  Duration websocket_idle = 1h;

  bool operator==(const TimeoutConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("connect", &TimeoutConfig::connect,
                {.doc = "To open a connection to an endpoint, TLS included.",
                 .minimum = 0.001,
                 .maximum = 300,
                 .unit = "s"});
    visit.field("first_byte", &TimeoutConfig::first_byte,
                {.doc = "From the request's last byte to the answer's first.",
                 .minimum = 0.001,
                 .maximum = 86400,
                 .unit = "s"});
    visit.field("idle", &TimeoutConfig::idle,
                {.doc = "Between two bytes of a body, in either direction.",
                 .minimum = 0.001,
                 .maximum = 86400,
                 .unit = "s"});
    visit.field("total", &TimeoutConfig::total,
                {.doc = "For a whole request, its waits and retries included; not for upgrades and "
                        "streams.",
                 .minimum = 0.001,
                 .maximum = 86400,
                 .unit = "s"});
    visit.field("keepalive", &TimeoutConfig::keepalive,
                {.doc = "An unused connection is closed after this long. Keep it below the "
                        "application's own limit (Node.js: 5 s), or requests meet closed ones.",
                 .minimum = 0,
                 .maximum = 3600,
                 .unit = "s"});
    visit.field("websocket_idle", &TimeoutConfig::websocket_idle,
                {.doc = "An upgraded connection is closed after this long without a byte.",
                 .minimum = 1,
                 .maximum = 604800,
                 .unit = "s"});
  }
};

// Where requests wait while every endpoint is at its `concurrency`.
struct QueueConfig {
  uint32_t length = 1000;
  Duration wait = 1s;

  bool operator==(const QueueConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("length", &QueueConfig::length,
                {.doc = "So many requests wait at most; a further one is answered 503 at once.",
                 .minimum = 0,
                 .maximum = 1000000,
                 .raising = "Memory per waiting request, and longer waits."});
    visit.field("wait", &QueueConfig::wait,
                {.doc = "A request that has waited this long is answered 503.",
                 .minimum = 0.001,
                 .maximum = 300,
                 .unit = "s"});
  }
};

// One service. A struct with more fields of a service may derive from it and call its describe().
struct ClusterConfig {
  UpstreamProtocol protocol = UpstreamProtocol::http1;
  std::optional<TlsConfig> tls;
  Balance balance;
  std::optional<StickyConfig> sticky;
  TimeoutConfig timeouts;
  RetryConfig retries;
  std::optional<HedgeConfig> hedge;
  // Absent by default: it turns an application that answers half of its requests with 500 into one
  // that answers none, which is for its owner to want.
  std::optional<BreakerConfig> breaker;
  std::optional<uint32_t> concurrency;
  QueueConfig queue;
  std::optional<HealthConfig> health;
  std::optional<EjectionConfig> ejection = EjectionConfig{};
  Duration slow_start = 10s;

  bool operator==(const ClusterConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("protocol", &ClusterConfig::protocol,
                {.doc = "What the endpoints speak: http1, or http2 (without TLS by prior "
                        "knowledge, as gRPC servers do), many requests to a connection."});
    visit.field("tls", &ClusterConfig::tls,
                {.doc = "Speaks TLS with the endpoints, health probes too. Not if absent.",
                 .example = "{ ca: internal-ca.pem, cert: spillway.pem, key: spillway.key }"});
    visit.field("balance", &ClusterConfig::balance,
                {.doc = "Which endpoint takes a request: round_robin, least_requests, random_two "
                        "or ring_hash(header:NAME | cookie:NAME | ip). All honour weights.",
                 .example = "ring_hash(header:x-user)"});
    visit.field("sticky", &ClusterConfig::sticky,
                {.doc = "Keeps a client at one endpoint by a cookie. Absent: no cookie is set."});
    visit.field("timeouts", &ClusterConfig::timeouts, {.doc = "How long each step may take."});
    visit.field("retries", &ClusterConfig::retries, {.doc = "Trying again, if that is safe."});
    visit.field("hedge", &ClusterConfig::hedge,
                {.doc = "A second attempt beside a slow first one. Absent: never."});
    visit.field("breaker", &ClusterConfig::breaker,
                {.doc = "Spares an endpoint that fails much of what it takes. Absent: never."});
    visit.field("concurrency", &ClusterConfig::concurrency,
                {.doc = "Requests in flight per endpoint; the rest wait in `queue`. Absent: as "
                        "many as come.",
                 .minimum = 1,
                 .maximum = 1000000});
    visit.field("queue", &ClusterConfig::queue,
                {.doc = "Waiting while all endpoints are at their `concurrency`."});
    visit.field("health", &ClusterConfig::health,
                {.doc = "Probes each endpoint. Absent: only real requests tell."});
    visit.field("ejection", &ClusterConfig::ejection,
                {.doc = "Leaves out an endpoint whose requests fail one after the other."});
    visit.field("slow_start", &ClusterConfig::slow_start,
                {.doc = "An endpoint that becomes healthy gets its full share only after this "
                        "long; 0s: at once.",
                 .minimum = 0,
                 .maximum = 3600,
                 .unit = "s"});
  }
};

}  // namespace spillway::upstream
