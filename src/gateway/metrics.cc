// gateway/metrics.cc: families, labels and the few additions per request.
#include "gateway/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace spillway::gateway {

using telemetry::MetricType;

namespace {

const telemetry::Family& gauge(telemetry::Registry& registry, std::string name, std::string help) {
  return registry.family(
      {.name = std::move(name), .help = std::move(help), .type = MetricType::gauge});
}

const telemetry::Family& shared_decisions(telemetry::Registry& registry) {
  return registry.family(
      {.name = "spillway_rate_limit_shared_total",
       .help = "Decisions of limits that are shared: shared (by Redis), local_fallback (by this "
               "instance, because Redis did not answer).",
       .label_names = {"limit", "result"}});
}

const telemetry::Family& command_failures(telemetry::Registry& registry) {
  return registry.family({.name = "spillway_redis_command_failures_total",
                          .help = "Questions to Redis without a useful answer, by kind of error.",
                          .label_names = {"error"}});
}

}  // namespace

FileFamilies::FileFamilies(telemetry::Registry& registry)
    : answers(registry.family(
          {.name = "spillway_file_answers_total",
           .help = "Files sent, by where they came from: memory, disk; or not_modified, where the "
                   "client had them.",
           .label_names = {"from"}})),
      lookups(
          registry.family({.name = "spillway_file_lookups_total",
                           .help = "Paths that were looked at on the file system, once a second at "
                                   "most for each."})),
      evictions(registry.family(
          {.name = "spillway_file_cache_evictions_total",
           .help = "Files put out of memory to make room: `files.memory` of their route is used "
                   "up."})),
      cache_bytes(registry.family({.name = "spillway_file_cache_bytes",
                                   .help = "Bytes of files kept in memory.",
                                   .type = MetricType::gauge})) {}

CacheFamilies::CacheFamilies(telemetry::Registry& registry)
    : requests(registry.family(
          {.name = "spillway_cache_requests_total",
           .help = "Requests of routes with a cache by result: hit, stale, revalidated, covered, "
                   "miss, collapsed, bypass.",
           .label_names = {"route", "result"}})) {}

MetricFamilies::MetricFamilies(telemetry::Registry& its_registry)
    : registry(its_registry),
      requests(registry.family({.name = "spillway_http_requests_total",
                                .help = "Requests answered, by the class of the answer's status.",
                                .label_names = {"route", "service", "status_class"}})),
      durations(registry.family({.name = "http_request_duration_seconds",
                                 .help = "From a request's head to the last byte of its answer.",
                                 .type = MetricType::histogram,
                                 .label_names = {"method", "route", "status_code"}})),
      in_flight(registry.family({.name = "spillway_http_requests_in_flight",
                                 .help = "Requests being served, tunnels included.",
                                 .type = MetricType::gauge,
                                 .label_names = {"route"}})),
      retries(registry.family({.name = "spillway_http_retries_total",
                               .help = "Attempts beyond a request's first.",
                               .label_names = {"route", "service"}})),
      hedges(registry.family({.name = "spillway_http_hedges_total",
                              .help = "Second attempts sent beside a slow first one.",
                              .label_names = {"route", "service"}})),
      upstream_durations(
          registry.family({.name = "spillway_upstream_duration_seconds",
                           .help = "From an attempt's start to the head of its answer.",
                           .type = MetricType::histogram,
                           .label_names = {"route", "service"}})),
      bytes_received(registry.family({.name = "spillway_http_request_bytes_total",
                                      .help = "Bytes of request bodies.",
                                      .label_names = {"route"}})),
      bytes_sent(registry.family({.name = "spillway_http_response_bytes_total",
                                  .help = "Bytes of answers' bodies.",
                                  .label_names = {"route"}})),
      auth(registry.family(
          {.name = "spillway_auth_total",
           .help = "Callers' proofs by what they came to: verified, absent, forbidden, refused, "
                   "failed, and the faults of tokens.",
           .label_names = {"method", "verdict"}})),
      rate_limits(registry.family({.name = "spillway_rate_limit_requests_total",
                                   .help = "Requests that a limit looked at: allowed, refused.",
                                   .label_names = {"limit", "result"}})),
      rate_limits_shared(shared_decisions(registry)),
      redis_connections(gauge(registry, "spillway_redis_connections_open",
                              "Connections to Redis, of all workers.")),
      redis_workers(gauge(registry, "spillway_redis_workers_connected",
                          "Workers that reach Redis, all nodes of a cluster.")),
      redis_durations(registry.family({.name = "spillway_redis_command_duration_seconds",
                                       .help = "From a question to Redis to its answer.",
                                       .type = MetricType::histogram})),
      redis_failures(command_failures(registry)),
      compressed(
          registry.family({.name = "spillway_compressed_answers_total",
                           .help = "Answers that were compressed on their way to the client.",
                           .label_names = {"encoding"}})),
      compression_bytes(
          registry.family({.name = "spillway_compression_bytes_total",
                           .help = "Bytes of bodies before (in) and after (out) compression.",
                           .label_names = {"encoding", "direction"}})),
      compression_refused(registry.family(
          {.name = "spillway_compression_refused_total",
           .help = "Answers sent as they are because all encoders of the core were in use."})),
      files(registry),
      cache(registry) {}

namespace {

telemetry::Counter class_counter(const MetricFamilies& families, telemetry::Scope& scope,
                                 const std::string& route, const std::string& service, int number,
                                 uint32_t core) {
  return scope.counter(families.requests, {route, service, fmt::format("{}xx", number)}, core);
}

}  // namespace

RouteMetrics::RouteMetrics(const MetricFamilies& families, telemetry::Scope& scope,
                           std::string route, const std::string& service, uint32_t core)
    : families_(families),
      scope_(scope),
      route_(std::move(route)),
      core_(core),
      in_flight_(scope.gauge(families.in_flight, {route_}, core)),
      retries_(scope.counter(families.retries, {route_, service}, core)),
      hedges_(scope.counter(families.hedges, {route_, service}, core)),
      upstream_duration_(scope.histogram(families.upstream_durations, {route_, service}, core)),
      bytes_received_(scope.counter(families.bytes_received, {route_}, core)),
      bytes_sent_(scope.counter(families.bytes_sent, {route_}, core)),
      by_class_{class_counter(families, scope, route_, service, 1, core),
                class_counter(families, scope, route_, service, 2, core),
                class_counter(families, scope, route_, service, 3, core),
                class_counter(families, scope, route_, service, 4, core),
                class_counter(families, scope, route_, service, 5, core)} {}

telemetry::Histogram& RouteMetrics::duration_of(http::Method method, uint16_t status) {
  const uint32_t key = static_cast<uint32_t>(method) << 16 | status;
  if (last_ != nullptr && key == last_key_) return *last_;
  auto found = durations_.find(key);
  if (found == durations_.end()) {
    const std::string_view name = http::to_string(method);
    found = durations_
                .emplace(key, scope_.histogram(families_.durations,
                                               {std::string(name.empty() ? "other" : name), route_,
                                                fmt::format("{}", status)},
                                               core_))
                .first;
  }
  last_key_ = key;
  last_ = &found->second;
  return *last_;
}

void RouteMetrics::end(http::Method method, uint16_t status, Duration duration, uint64_t bytes_in,
                       uint64_t bytes_out) {
  if (status == 0) status = 499;
  in_flight_.sub();
  by_class_[std::clamp(status / 100, 1, 5) - 1].add();
  duration_of(method, status).observe(duration);
  if (bytes_in > 0) bytes_received_.add(bytes_in);
  if (bytes_out > 0) bytes_sent_.add(bytes_out);
}

}  // namespace spillway::gateway
