// upstream/cluster_status.cc: probes, and what a Cluster tells of itself.
#include <fmt/format.h>

#include <algorithm>

#include "upstream/cluster.h"
#include "upstream/endpoint.h"

namespace spillway::upstream {
namespace {

// An endpoint that is not healthy is probed at least this often: its users wait for it.
constexpr Duration probe_pause_unhealthy = 1s;
// Details come from peers' answers; a status page needs no more of them.
constexpr size_t probe_detail_bytes_max = 200;

Duration probe_pause(const Endpoint& endpoint, const HealthConfig& config) {
  const bool is_healthy = endpoint.verdict.state() == HealthVerdict::State::healthy;
  return is_healthy ? config.every : std::min(config.every, probe_pause_unhealthy);
}

std::string failure_text(const Endpoint& endpoint) {
  if (endpoint.counters.failures() == 0) return "";
  const Outcome failure = endpoint.last_failure;
  if (failure.status == 0) return std::string(to_string(failure.kind));
  return fmt::format("{} {}", to_string(failure.kind), failure.status);
}

}  // namespace

std::vector<ProbeTarget> Cluster::take_due_probes(Random& random, Instant now) {
  std::vector<ProbeTarget> due;
  if (!config_.health) return due;
  for (Endpoint* endpoint : listed_) {
    if (endpoint->probe_is_out || now < endpoint->probe_due) continue;
    endpoint->probe_is_out = true;
    // Up to a tenth earlier, so that the probes of many endpoints do not march in step.
    const Duration pause = probe_pause(*endpoint, *config_.health);
    const auto earlier =
        static_cast<int64_t>(random.unit() * 0.1 * static_cast<double>(pause.count()));
    endpoint->probe_due = now + (pause - Duration(earlier));
    due.push_back({endpoint->id, endpoint->spec.name, endpoint->spec.address});
  }
  return due;
}

Instant Cluster::next_probe_at() const {
  Instant next = Instant::max();
  if (!config_.health) return next;
  for (const Endpoint* endpoint : listed_) {
    if (!endpoint->probe_is_out) next = std::min(next, endpoint->probe_due);
  }
  return next;
}

bool Cluster::record_probe(EndpointId id, bool is_good, std::string_view detail, Instant now) {
  Endpoint* endpoint = find(id);
  if (endpoint == nullptr) return false;
  endpoint->probe_is_out = false;
  endpoint->last_probe = detail.substr(0, probe_detail_bytes_max);
  ++(is_good ? endpoint->counters.probes_good : endpoint->counters.probes_bad);
  // A reload may have taken the probes out of the plan while this one was under way.
  if (!config_.health || !endpoint->verdict.learn(is_good, *config_.health, now)) return false;
  endpoint->probe_due =
      std::min(endpoint->probe_due, now + probe_pause(*endpoint, *config_.health));
  refresh_at_once();
  return true;
}

void Cluster::explain(uint32_t place, const PickRequest& request) const {
  const Endpoint& endpoint = *listed_[place];
  const auto takers =
      std::ranges::count_if(candidates_, [](const Candidate& c) { return c.weight > 0; });
  std::string why;
  if (request.sticky == endpoint.identity) {
    why = "the client's cookie names it";
  } else {
    why = fmt::format("{} over {} of {} endpoints", to_string(config_.balance), takers,
                      listed_.size());
    if (request.sticky) why += ", the cookie's own endpoint being gone or unfit";
  }
  *request.explanation =
      fmt::format("{}: {} at {}: {}; {} in flight, weight {}", name_, endpoint.spec.name,
                  to_string(endpoint.spec.address), why, endpoint.in_flight, endpoint.weight);
  if (endpoint.ramp < ramp_full) {
    *request.explanation += fmt::format(", slow start at {}%", endpoint.ramp * 100 / ramp_full);
  }
  if (is_in_panic_) *request.explanation += "; panic: too few are healthy, so all are used";
}

ClusterStatus Cluster::status(Instant now) {
  refresh(latest(now));
  ClusterStatus result{.name = name_,
                       .balance = to_string(config_.balance),
                       .is_in_panic = is_in_panic_ && !listed_.empty(),
                       .in_flight = in_flight_,
                       .queue_length = queue_length_,
                       .queue_length_max = config_.queue.length,
                       .concurrency = config_.concurrency,
                       .counters = counters_,
                       .endpoints = {}};
  for (const Slot& slot : slots_) {
    if (slot.endpoint) result.endpoints.push_back(endpoint_status(*slot.endpoint, now));
  }
  return result;
}

EndpointStatus Cluster::endpoint_status(const Endpoint& endpoint, Instant now) const {
  const bool is_listed = endpoint.place != Endpoint::not_listed;
  EndpointStatus result{.id = endpoint.id,
                        .name = endpoint.spec.name,
                        .address = to_string(endpoint.spec.address),
                        .state = endpoint.state(now),
                        .breaker = {},
                        .takes_work = is_listed && candidates_[endpoint.place].weight > 0,
                        .is_listed = !endpoint.is_removed,
                        .weight = endpoint.weight,
                        .ramp = endpoint.ramp,
                        .in_flight = endpoint.in_flight,
                        .counters = endpoint.counters,
                        .last_probe = endpoint.last_probe,
                        .last_error = failure_text(endpoint),
                        .last_error_ago = {}};
  if (endpoint.breaker) result.breaker = endpoint.breaker->state();
  if (!result.last_error.empty()) result.last_error_ago = now - endpoint.last_failure_at;
  return result;
}

}  // namespace spillway::upstream
