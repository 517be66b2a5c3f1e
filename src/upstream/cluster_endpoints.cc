// upstream/cluster_endpoints.cc: which endpoints there are, and which of them are fit.
#include <algorithm>
#include <utility>

#include "base/check.h"
#include "upstream/cluster.h"
#include "upstream/endpoint.h"
#include "upstream/hash.h"

namespace spillway::upstream {
namespace {

// In slow start weights rise in steps this long: fine enough to be smooth, rare enough to be free.
constexpr Duration ramp_step = 50ms;

bool is_same(const EndpointSpec& a, const EndpointSpec& b) {
  return a.address == b.address && a.name == b.name && a.incarnation == b.incarnation;
}

EndpointSpec normalised(EndpointSpec spec) {
  if (spec.name.empty()) spec.name = to_string(spec.address);
  spec.weight = std::clamp(spec.weight, 1U, limits::weight_max);
  return spec;
}

}  // namespace

EndpointsChange Cluster::set_endpoints(std::span<const EndpointSpec> specs, Instant now) {
  EndpointsChange change;
  std::vector<Endpoint*> wanted;
  bool is_reweighted = false;
  for (const EndpointSpec& raw : specs) {
    const EndpointSpec spec = normalised(raw);
    Endpoint* endpoint = find_same(spec);
    const bool is_repeated = endpoint && std::ranges::find(wanted, endpoint) != wanted.end();
    if (is_repeated || wanted.size() == limits::endpoints_max) {
      ++change.ignored;
      continue;
    }
    if (endpoint == nullptr) {
      endpoint = &add(spec, now);
      ++change.added;
    } else if (endpoint->is_removed) {
      endpoint->start_anew(spec.is_proven, config_, now);
      ++change.added;
    } else {
      ++change.kept;
    }
    is_reweighted |= std::exchange(endpoint->weight, spec.weight) != spec.weight;
    wanted.push_back(endpoint);
  }
  counters_.endpoints_ignored += change.ignored;
  change.removed = remove_all_but(wanted);
  std::erase_if(wanted, [](const Endpoint* endpoint) { return endpoint->is_drained; });
  // DNS mostly answers what it answered before; that must not reset whose turn it is.
  if (wanted != listed_ || is_reweighted || change.added > 0) {
    listed_ = std::move(wanted);
    rebuild_candidates();
  }
  return change;
}

uint32_t Cluster::remove_all_but(std::span<Endpoint* const> wanted) {
  uint32_t removed = 0;
  for (Slot& slot : slots_) {
    Endpoint* endpoint = slot.endpoint.get();
    const bool is_wanted = std::ranges::find(wanted, endpoint) != wanted.end();
    if (endpoint == nullptr || endpoint->is_removed || is_wanted) continue;
    ++removed;
    endpoint->is_removed = true;
    endpoint->place = Endpoint::not_listed;
    if (endpoint->in_flight == 0) erase(*endpoint);
  }
  return removed;
}

bool Cluster::drain(EndpointId id) {
  Endpoint* endpoint = find(id);
  if (endpoint == nullptr || endpoint->is_removed) return false;
  endpoint->is_drained = true;
  endpoint->place = Endpoint::not_listed;
  std::erase(listed_, endpoint);
  rebuild_candidates();
  return true;
}

bool Cluster::undrain(EndpointId id) {
  Endpoint* endpoint = find(id);
  if (endpoint == nullptr || endpoint->is_removed) return false;
  if (!std::exchange(endpoint->is_drained, false)) return true;
  endpoint->was_fit = false;  // Slow start.
  endpoint->probe_is_out = false;
  listed_.push_back(endpoint);
  rebuild_candidates();
  return true;
}

void Cluster::reconfigure(ClusterConfig config, Instant now) {
  const ClusterConfig old = std::exchange(config_, std::move(config));
  if (old.balance.algorithm != config_.balance.algorithm) {
    balancer_ = make_balancer(config_.balance.algorithm);
  }
  if (old.retries.budget != config_.retries.budget) {
    retry_budget_ = RetryBudget(config_.retries.budget);
  }
  if (old.hedge != config_.hedge) {
    hedge_budget_.reset();
    if (config_.hedge) hedge_budget_.emplace(config_.hedge->budget);
  }
  for (Slot& slot : slots_) {
    if (!slot.endpoint) continue;
    Endpoint& endpoint = *slot.endpoint;
    if (old.breaker != config_.breaker) {
      endpoint.breaker.reset();
      if (config_.breaker) endpoint.breaker.emplace(*config_.breaker, now);
    }
    if (old.ejection != config_.ejection) {
      endpoint.ejection.reset();
      if (config_.ejection) endpoint.ejection.emplace(*config_.ejection, now);
    }
    // Nobody would ever find it healthy again.
    if (!config_.health) endpoint.verdict = HealthVerdict(HealthVerdict::State::healthy, now);
    endpoint.probe_due = now;
  }
  rebuild_candidates();
}

// The record outlives its place in the list while tickets point at it, so both are searched.
Endpoint* Cluster::find_same(const EndpointSpec& spec) {
  const uint64_t identity = identity_of(spec);
  for (Slot& slot : slots_) {
    Endpoint* endpoint = slot.endpoint.get();
    if (endpoint && endpoint->identity == identity && is_same(endpoint->spec, spec)) {
      return endpoint;
    }
  }
  return nullptr;
}

Endpoint* Cluster::find(EndpointId id) {
  if (id.index >= slots_.size() || slots_[id.index].generation != id.generation) return nullptr;
  return slots_[id.index].endpoint.get();
}

Endpoint& Cluster::add(const EndpointSpec& spec, Instant now) {
  auto slot = std::ranges::find_if(slots_, [](const Slot& any) { return !any.endpoint; });
  if (slot == slots_.end()) slot = slots_.emplace(slots_.end());
  const EndpointId id{.index = static_cast<uint32_t>(slot - slots_.begin()),
                      .generation = ++slot->generation};
  slot->endpoint = std::make_unique<Endpoint>(id, spec, identity_of(spec), config_, now);
  return *slot->endpoint;
}

// Without the service's name two services would share identities, and their cookies with them.
uint64_t Cluster::identity_of(const EndpointSpec& spec) const {
  return mix(hash_of(name_) + hash_of(spec.name));
}

void Cluster::erase(Endpoint& endpoint) {
  CHECK(endpoint.in_flight == 0 && endpoint.place == Endpoint::not_listed);
  slots_[endpoint.id.index].endpoint.reset();
}

void Cluster::rebuild_candidates() {
  candidates_.assign(listed_.size(), {});
  for (uint32_t place = 0; place < listed_.size(); ++place) {
    Endpoint& endpoint = *listed_[place];
    endpoint.place = place;
    candidates_[place].plan_weight = endpoint.weight;
    candidates_[place].identity = endpoint.identity;
    update_candidate(endpoint);
  }
  balancer_->candidates_changed(candidates_);
  refresh_at_once();
}

Share Cluster::panic_share() const {
  return config_.health ? config_.health->panic : HealthConfig{}.panic;
}

// Renews what depends on time and verdicts, and says when it must be renewed again, so that most
// picks look at nothing but candidates_.
void Cluster::refresh(Instant now) {
  uint32_t sound = 0;
  uint32_t ramp_max = 0;  // Of the fit.
  refresh_at_ = Instant::max();
  for (Endpoint* endpoint : listed_) {
    refresh_fitness(*endpoint, now);
    if (!endpoint->was_fit) continue;
    ramp_max = std::max(ramp_max, endpoint->ramp);
    // A suspect is out in all but name: only the share of ejections keeps it in.
    if (!endpoint->is_suspect()) ++sound;
  }
  const auto listed = static_cast<double>(listed_.size());
  is_in_panic_ = static_cast<double>(sound) < panic_share().of_one * listed;
  for (Endpoint* endpoint : listed_) {
    // A ramp spares a newcomer by leaning on its elders: the eldest has none, and in a panic nobody
    // can be leaned on.
    const bool has_elder = endpoint->was_fit && !is_in_panic_;
    endpoint->ramp = has_elder ? endpoint->ramp * ramp_full / ramp_max : ramp_full;
    const bool is_available =
        endpoint->breaker_admits(now) && (is_in_panic_ || endpoint->is_well(now));
    endpoint->available_weight = is_available ? endpoint->weight * endpoint->ramp : 0;
    candidates_[endpoint->place].ramp = endpoint->ramp;
    update_candidate(*endpoint);
  }
}

// Whether it is fit, how far into its slow start, and when either will change by itself.
void Cluster::refresh_fitness(Endpoint& endpoint, Instant now) {
  const bool is_fit = endpoint.is_fit(now);
  if (is_fit && !endpoint.was_fit) endpoint.fit_since = now;
  endpoint.was_fit = is_fit;
  endpoint.ramp = is_fit ? ramp_at(endpoint.fit_since, config_.slow_start, now) : ramp_full;
  if (endpoint.ramp < ramp_full) refresh_at_ = std::min(refresh_at_, now + ramp_step);
  if (endpoint.is_ejected(now)) {
    refresh_at_ = std::min(refresh_at_, endpoint.ejection->ejected_until());
  }
  if (!endpoint.breaker_admits(now)) {
    refresh_at_ = std::min(refresh_at_, endpoint.breaker->retry_at());
  }
}

}  // namespace spillway::upstream
