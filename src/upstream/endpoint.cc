// upstream/endpoint.cc: what one endpoint learns from requests and probes.
#include "upstream/endpoint.h"

#include <utility>

namespace spillway::upstream {
namespace {

HealthVerdict::State first_state(bool is_proven, const ClusterConfig& config) {
  // Without probes there is nothing to wait for.
  if (is_proven || !config.health) return HealthVerdict::State::healthy;
  return HealthVerdict::State::starting;
}

CircuitBreaker::Verdict breaker_verdict(Outcome outcome) {
  if (!outcome.teaches()) return CircuitBreaker::Verdict::nothing;
  if (outcome.kind == Outcome::Kind::failed_connect) return CircuitBreaker::Verdict::refused;
  return outcome.is_good() ? CircuitBreaker::Verdict::good : CircuitBreaker::Verdict::bad;
}

void count(EndpointCounters& counters, Outcome outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::answered: counters.failed_status += outcome.is_good() ? 0 : 1; return;
    case Outcome::Kind::failed_connect: ++counters.failed_connect; return;
    case Outcome::Kind::failed_response: ++counters.failed_response; return;
    case Outcome::Kind::timed_out: ++counters.timed_out; return;
    case Outcome::Kind::client_aborted: ++counters.client_aborted; return;
    case Outcome::Kind::nothing_learned: return;
  }
}

}  // namespace

Endpoint::Endpoint(EndpointId own_id, EndpointSpec own_spec, uint64_t own_identity,
                   const ClusterConfig& config, Instant now)
    : id(own_id),
      spec(std::move(own_spec)),
      identity(own_identity),
      weight(spec.weight),
      verdict(first_state(spec.is_proven, config), now) {
  start_anew(spec.is_proven, config, now);
}

void Endpoint::start_anew(bool is_proven, const ClusterConfig& config, Instant now) {
  verdict = HealthVerdict(first_state(is_proven, config), now);
  breaker.reset();
  ejection.reset();
  if (config.breaker) breaker.emplace(*config.breaker, now);
  if (config.ejection) ejection.emplace(*config.ejection, now);
  is_removed = false;
  is_drained = false;
  was_fit = false;
  probe_is_out = false;
  probe_due = now;
}

bool Endpoint::learn(const Ticket& ticket, Outcome outcome, Instant now) {
  count(counters, outcome);
  if (outcome.teaches() && !outcome.is_good()) {
    last_failure = outcome;
    last_failure_at = now;
  }
  bool is_change = ticket.is_trial;
  if (breaker) {
    const bool has_opened =
        breaker->settle(breaker_verdict(outcome), ticket.is_trial, ticket.picked_at, now);
    if (has_opened) ++counters.breaker_openings;
    is_change |= has_opened;
  }
  if (ejection && outcome.teaches()) {
    is_change |= ejection->learn(outcome.is_good(), ticket.picked_at, now);
  }
  return is_change;
}

EndpointState Endpoint::state(Instant now) const {
  if (place == not_listed) return EndpointState::draining;
  switch (verdict.state()) {
    case HealthVerdict::State::starting: return EndpointState::starting;
    case HealthVerdict::State::unhealthy: return EndpointState::unhealthy;
    case HealthVerdict::State::healthy: break;
  }
  return is_ejected(now) ? EndpointState::ejected : EndpointState::healthy;
}

}  // namespace spillway::upstream
