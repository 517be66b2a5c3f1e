// gateway/metrics.h: what the gateway counts, per core.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

// Those of the files that are served without a service.
struct FileFamilies {
  explicit FileFamilies(telemetry::Registry& registry);

  const telemetry::Family& answers;  // By where they came from.
  const telemetry::Family& lookups;
  const telemetry::Family& evictions;
  const telemetry::Family& cache_bytes;
};

// Those of cached answers.
struct CacheFamilies {
  explicit CacheFamilies(telemetry::Registry& registry);

  const telemetry::Family& requests;  // By route and result.
};

// The families of the gateway, made once per process.
struct MetricFamilies {
  explicit MetricFamilies(telemetry::Registry& its_registry);

  telemetry::Registry& registry;
  const telemetry::Family& requests;            // By route, service, status class.
  const telemetry::Family& durations;           // By method, route, status code.
  const telemetry::Family& in_flight;           // By route.
  const telemetry::Family& retries;             // By service.
  const telemetry::Family& hedges;              // By service.
  const telemetry::Family& upstream_durations;  // By service.
  const telemetry::Family& bytes_received;      // By route.
  const telemetry::Family& bytes_sent;          // By route.
  const telemetry::Family& auth;                // By method and verdict.
  const telemetry::Family& rate_limits;         // By limit and result.
  const telemetry::Family& rate_limits_shared;  // By limit and result.
  const telemetry::Family& redis_connections;
  const telemetry::Family& redis_workers;
  const telemetry::Family& redis_durations;
  const telemetry::Family& redis_failures;     // By error.
  const telemetry::Family& compressed;         // By encoding.
  const telemetry::Family& compression_bytes;  // By encoding and direction.
  const telemetry::Family& compression_refused;
  const FileFamilies files;
  const CacheFamilies cache;
};

// One core's series of one route. Series of a status code appear when it is first answered.
class RouteMetrics {
 public:
  // `scope` keeps the series while the plan that has the route lives.
  RouteMetrics(const MetricFamilies& families, telemetry::Scope& scope, std::string route,
               const std::string& service, uint32_t core);

  void begin() { in_flight_.add(); }
  // `status` 0: the client left before an answer; counted as 499, as nginx does.
  void end(http::Method method, uint16_t status, Duration duration, uint64_t bytes_in,
           uint64_t bytes_out);
  void count_retry() { retries_.add(); }
  void count_hedge() { hedges_.add(); }
  void observe_upstream(Duration duration) { upstream_duration_.observe(duration); }

  const std::string& route() const { return route_; }

 private:
  telemetry::Histogram& duration_of(http::Method method, uint16_t status);

  const MetricFamilies& families_;
  telemetry::Scope& scope_;
  const std::string route_;
  const uint32_t core_;
  telemetry::Gauge in_flight_;
  telemetry::Counter retries_;
  telemetry::Counter hedges_;
  telemetry::Histogram upstream_duration_;
  telemetry::Counter bytes_received_;
  telemetry::Counter bytes_sent_;
  std::array<telemetry::Counter, 5> by_class_;
  std::map<uint32_t, telemetry::Histogram> durations_;  // By method and status.
  uint32_t last_key_ = 0;                               // Nearly always the same as before.
  telemetry::Histogram* last_ = nullptr;
};

}  // namespace spillway::gateway
