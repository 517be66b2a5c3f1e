// upstream/status.h: what can be seen of a Cluster: for metrics, `spillway status`, the dashboard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "upstream/circuit_breaker.h"
#include "upstream/pick.h"

namespace spillway::upstream {

// Sums since the endpoint appeared.
struct EndpointCounters {
  uint64_t requests = 0;  // Picks, retries and hedges included.
  uint64_t retries = 0;   // Picks for work that other endpoints had been tried for.
  uint64_t failed_connect = 0;
  uint64_t failed_response = 0;
  uint64_t failed_status = 0;  // Statuses of 500 and above.
  uint64_t timed_out = 0;
  uint64_t client_aborted = 0;
  uint64_t ejections = 0;
  uint64_t breaker_openings = 0;
  uint64_t probes_good = 0;
  uint64_t probes_bad = 0;

  uint64_t failures() const { return failed_connect + failed_response + failed_status + timed_out; }
};

// Sums since the Cluster was made.
struct ClusterCounters {
  uint64_t requests = 0;  // count_request(): units of work, however often tried.
  uint64_t retries = 0;
  uint64_t retries_refused = 0;  // By the budget.
  uint64_t hedges = 0;
  uint64_t hedges_refused = 0;
  uint64_t refused_no_endpoints = 0;
  uint64_t refused_none_fit = 0;
  uint64_t refused_at_capacity = 0;
  uint64_t picks_in_panic = 0;
  uint64_t sticky_moved = 0;  // The cookie's endpoint was gone or unfit.
  uint64_t queued = 0;
  uint64_t queue_full = 0;         // Refused: queue.length reached.
  uint64_t queue_too_late = 0;     // Refused: the deadline would have passed before its turn.
  uint64_t queue_expired = 0;      // Waited in vain.
  uint64_t endpoints_ignored = 0;  // Beyond limits::endpoints_max.
};

enum class EndpointState : uint8_t { starting, healthy, unhealthy, ejected, draining };

struct EndpointStatus {
  EndpointId id;
  std::string name;
  std::string address;
  EndpointState state = EndpointState::healthy;
  std::optional<CircuitBreaker::State> breaker;  // Absent: the plan has none.
  bool takes_work = false;  // Could be picked now: fit or in panic, not full, not draining.
  bool is_listed = true;    // False: removed, and only here until its work ends.
  uint32_t weight = 1;
  uint32_t ramp = 0;  // Thousandths of its share: below 1000 in slow start.
  uint32_t in_flight = 0;
  EndpointCounters counters;
  std::string last_probe;  // As record_probe() was told; empty before the first.
  std::string last_error;  // "timed_out", "answered 503"; empty if none ever failed.
  std::optional<Duration> last_error_ago;
};

struct ClusterStatus {
  std::string name;
  std::string balance;
  bool is_in_panic = false;
  uint32_t in_flight = 0;  // Of all endpoints, the draining ones included.
  uint32_t queue_length = 0;
  uint32_t queue_length_max = 0;
  std::optional<uint32_t> concurrency;  // Per endpoint.
  ClusterCounters counters;
  std::vector<EndpointStatus> endpoints;
};

std::string_view to_string(EndpointState state);

}  // namespace spillway::upstream
