// upstream/endpoint.h: everything a Cluster knows of one of its endpoints.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "upstream/circuit_breaker.h"
#include "upstream/config.h"
#include "upstream/ejection.h"
#include "upstream/health_verdict.h"
#include "upstream/pick.h"
#include "upstream/slow_start.h"
#include "upstream/status.h"

namespace spillway::upstream {

// Owned by a Cluster, never moved: tickets point at `spec`. Not thread-safe but for `spec`.
struct Endpoint {
  static constexpr uint32_t not_listed = UINT32_MAX;

  Endpoint(EndpointId id, EndpointSpec spec, uint64_t identity, const ClusterConfig& config,
           Instant now);
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // What a request showed. True: whether it is fit, suspect or ejected may have changed.
  bool learn(const Ticket& ticket, Outcome outcome, Instant now);
  // Forgets verdicts, not what is in flight: it was removed and has come back.
  void start_anew(bool is_proven, const ClusterConfig& config, Instant now);

  bool is_well(Instant now) const {
    return verdict.state() == HealthVerdict::State::healthy && !is_ejected(now);
  }
  // Well, and its breaker, if it has one, is closed.
  bool is_fit(Instant now) const {
    return is_well(now) && (!breaker || breaker->state() == CircuitBreaker::State::closed);
  }
  bool breaker_admits(Instant now) const { return !breaker || breaker->admits(now); }
  bool is_suspect() const { return ejection && ejection->is_suspect(); }
  bool is_ejected(Instant now) const { return ejection && ejection->is_ejected(now); }
  EndpointState state(Instant now) const;

  const EndpointId id;
  const EndpointSpec spec;
  const uint64_t identity;
  uint32_t weight;  // As last told; `spec` keeps the first.
  // Its place among the candidates; not_listed: removed or drained, no new picks.
  uint32_t place = not_listed;
  bool is_drained = false;  // By hand: listed, but gets nothing new.
  bool is_removed = false;  // Gone from the list; lives until its work is settled.
  uint32_t in_flight = 0;
  // In thousandths, regardless of capacity; 0: not fit. Kept by Cluster::refresh().
  uint32_t available_weight = 0;
  uint32_t ramp = ramp_full;
  bool was_fit = false;  // At the last refresh.
  Instant fit_since;     // When slow start began.

  HealthVerdict verdict;
  std::optional<CircuitBreaker> breaker;
  std::optional<Ejection> ejection;
  bool probe_is_out = false;
  Instant probe_due;

  EndpointCounters counters;
  std::string last_probe;
  Outcome last_failure;
  Instant last_failure_at;  // Meaningful once counters.failures() is above 0.
};

}  // namespace spillway::upstream
