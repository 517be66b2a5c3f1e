// upstream/cluster.cc: picks endpoints, settles tickets, counts budgets and the queue.
#include "upstream/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "upstream/endpoint.h"

namespace spillway::upstream {

Cluster::Cluster(std::string name, ClusterConfig config)
    : name_(std::move(name)),
      config_(std::move(config)),
      balancer_(make_balancer(config_.balance.algorithm)),
      retry_budget_(config_.retries.budget) {
  if (config_.hedge) hedge_budget_.emplace(config_.hedge->budget);
}
Cluster::Cluster(Cluster&&) noexcept = default;
Cluster& Cluster::operator=(Cluster&&) noexcept = default;
Cluster::~Cluster() = default;

std::expected<Ticket, PickRefusal> Cluster::pick(const PickRequest& request) {
  const Instant now = latest(request.now);
  if (listed_.empty()) return refuse(PickRefusal::no_endpoints, request);
  if (now >= refresh_at_) refresh(now);
  const bool is_retry = !request.tried.empty();
  bool all_at_capacity = false;
  std::optional<uint32_t> place;
  if (is_retry) place = choose_untried(request, all_at_capacity);
  if (all_at_capacity && !place) return refuse(PickRefusal::all_at_capacity, request);
  if (!place) place = choose(request);
  if (!place) {
    return refuse(any_available() ? PickRefusal::all_at_capacity : PickRefusal::none_fit, request);
  }
  if (is_retry) ++listed_[*place]->counters.retries;
  return take(*place, request);
}

// The client's own endpoint while it is fit, waiting for it if it is full: another one would not
// know the client. Otherwise the balancer's choice.
std::optional<uint32_t> Cluster::choose(const PickRequest& request) {
  if (request.sticky) {
    bool is_full = false;
    for (uint32_t place = 0; place < candidates_.size(); ++place) {
      if (candidates_[place].identity != *request.sticky) continue;
      if (candidates_[place].weight > 0) return place;
      is_full |= listed_[place]->available_weight > 0;
    }
    if (is_full) return std::nullopt;
    ++counters_.sticky_moved;
  }
  return balancer_->choose(candidates_, {.random = request.random, .hash_key = request.hash_key});
}

// Nothing and not all_at_capacity: every other endpoint is unfit, so one may be tried again.
std::optional<uint32_t> Cluster::choose_untried(const PickRequest& request, bool& all_at_capacity) {
  PickRequest narrowed = request;
  for (const EndpointId id : request.tried) {
    Endpoint* endpoint = find(id);
    if (endpoint == nullptr || endpoint->place == Endpoint::not_listed) continue;
    candidates_[endpoint->place].weight = 0;
    if (endpoint->identity == narrowed.sticky) narrowed.sticky.reset();
  }
  const auto place = choose(narrowed);
  all_at_capacity = std::ranges::any_of(listed_, [&](const Endpoint* endpoint) {
    return endpoint->available_weight > 0 &&
           std::ranges::find(request.tried, endpoint->id) == request.tried.end();
  });
  for (const EndpointId id : request.tried) {
    if (Endpoint* endpoint = find(id)) update_candidate(*endpoint);
  }
  return place;
}

bool Cluster::any_available() const {
  return std::ranges::any_of(
      listed_, [](const Endpoint* endpoint) { return endpoint->available_weight > 0; });
}

Ticket Cluster::take(uint32_t place, const PickRequest& request) {
  Endpoint& endpoint = *listed_[place];
  CHECK(!config_.concurrency || endpoint.in_flight < *config_.concurrency);
  if (request.explanation != nullptr) explain(place, request);
  ++endpoint.in_flight;
  ++in_flight_;
  ++endpoint.counters.requests;
  if (is_in_panic_) ++counters_.picks_in_panic;
  const bool is_trial = endpoint.breaker && endpoint.breaker->acquire(latest_);
  if (is_trial) refresh_at_once();
  update_candidate(endpoint);
  return Ticket{.endpoint = endpoint.id,
                .identity = endpoint.identity,
                .address = &endpoint.spec.address,
                .name = &endpoint.spec.name,
                .picked_at = latest_,
                .is_trial = is_trial};
}

std::expected<Ticket, PickRefusal> Cluster::refuse(PickRefusal refusal,
                                                   const PickRequest& request) {
  switch (refusal) {
    case PickRefusal::no_endpoints: ++counters_.refused_no_endpoints; break;
    case PickRefusal::none_fit: ++counters_.refused_none_fit; break;
    case PickRefusal::all_at_capacity: ++counters_.refused_at_capacity; break;
  }
  if (request.explanation != nullptr) {
    *request.explanation = fmt::format("{}: none of {} endpoints may take it: {}", name_,
                                       listed_.size(), to_string(refusal));
  }
  return std::unexpected(refusal);
}

void Cluster::learn(const Ticket& ticket, Outcome outcome, Instant now) {
  Endpoint* endpoint = find(ticket.endpoint);
  if (endpoint != nullptr) learn_from(*endpoint, ticket, outcome, latest(now));
}

void Cluster::learn_from(Endpoint& endpoint, const Ticket& ticket, Outcome outcome, Instant now) {
  if (!endpoint.learn(ticket, outcome, now)) return;
  refresh_at_once();
  if (endpoint.is_suspect()) eject_if_allowed(endpoint, now);
}

void Cluster::eject_if_allowed(Endpoint& endpoint, Instant now) {
  if (endpoint.place == Endpoint::not_listed) return;
  const auto ejected = std::ranges::count_if(
      listed_, [now](const Endpoint* other) { return other->is_ejected(now); });
  const double allowed = config_.ejection->share.of_one * static_cast<double>(listed_.size());
  if (static_cast<double>(ejected) + 1 > allowed) return;
  endpoint.ejection->eject(now);
  ++endpoint.counters.ejections;
}

bool Cluster::settle(const Ticket& ticket, Outcome outcome, Instant now) {
  Endpoint* endpoint = find(ticket.endpoint);
  if (endpoint == nullptr) return false;
  CHECK(endpoint->in_flight > 0);
  now = latest(now);
  learn_from(*endpoint, ticket, outcome, now);
  --endpoint->in_flight;
  --in_flight_;
  if (config_.concurrency) {
    // Tunnels are held for hours; they must not make the queue's estimate one of hours.
    const Duration held = std::clamp(now - ticket.picked_at, Duration::zero(), config_.queue.wait);
    work_mean_ += (held - work_mean_) / 16;
  }
  if (endpoint->is_removed && endpoint->in_flight == 0) {
    erase(*endpoint);
    return false;
  }
  update_candidate(*endpoint);
  if (queue_length_ == 0 || endpoint->place == Endpoint::not_listed) return false;
  if (now >= refresh_at_) refresh(now);
  return candidates_[endpoint->place].weight > 0;
}

void Cluster::update_candidate(Endpoint& endpoint) {
  if (endpoint.place == Endpoint::not_listed) return;
  Candidate& candidate = candidates_[endpoint.place];
  candidate.in_flight = endpoint.in_flight;
  const bool is_full = config_.concurrency && endpoint.in_flight >= *config_.concurrency;
  candidate.weight = is_full ? 0 : endpoint.available_weight;
}

void Cluster::count_request(Instant now) {
  ++counters_.requests;
  retry_budget_.count_request(now);
  if (hedge_budget_) hedge_budget_->count_request(now);
}

bool Cluster::allows_retry(uint32_t attempts, Instant now) {
  if (attempts >= config_.retries.attempts) return false;
  const bool is_allowed = retry_budget_.try_take(now);
  ++(is_allowed ? counters_.retries : counters_.retries_refused);
  return is_allowed;
}

std::optional<Ticket> Cluster::pick_hedge(const PickRequest& request) {
  CHECK(!request.tried.empty());
  const Instant now = latest(request.now);
  if (!hedge_budget_ || listed_.empty()) return std::nullopt;
  if (now >= refresh_at_) refresh(now);
  if (is_in_panic_) return std::nullopt;  // They have enough to bear.
  bool all_at_capacity = false;
  const auto place = choose_untried(request, all_at_capacity);
  if (!place) return std::nullopt;
  const bool is_allowed = hedge_budget_->try_take(now);
  ++(is_allowed ? counters_.hedges : counters_.hedges_refused);
  if (!is_allowed) return std::nullopt;
  return take(*place, request);
}

std::optional<Deadline> Cluster::enter_queue(Deadline deadline, Instant now) {
  if (queue_length_ >= config_.queue.length) {
    ++counters_.queue_full;
    return std::nullopt;
  }
  const Deadline until = deadline.no_later_than(now + config_.queue.wait);
  // Little's law: tickets out leave at the rate in_flight / work_mean.
  const Duration expected =
      in_flight_ == 0 ? Duration::zero() : work_mean_ * (queue_length_ + 1) / in_flight_;
  if (until.left(now) <= expected) {
    ++counters_.queue_too_late;
    return std::nullopt;
  }
  ++queue_length_;
  ++counters_.queued;
  return until;
}

void Cluster::leave_queue(bool was_served) {
  CHECK(queue_length_ > 0);
  --queue_length_;
  if (!was_served) ++counters_.queue_expired;
}

uint32_t Cluster::slots_free(Instant now) {
  refresh(latest(now));
  uint64_t free = 0;
  for (const Endpoint* endpoint : listed_) {
    if (endpoint->available_weight == 0) continue;
    if (!config_.concurrency) return UINT32_MAX;
    if (endpoint->in_flight < *config_.concurrency) {
      free += *config_.concurrency - endpoint->in_flight;
    }
  }
  return static_cast<uint32_t>(std::min<uint64_t>(free, UINT32_MAX));
}

}  // namespace spillway::upstream
