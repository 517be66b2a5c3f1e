// gateway/service.cc: picking, queueing and settling under the service's lock.
#include "gateway/service.h"

#include <fmt/format.h>

#include "base/mutation.h"

namespace spillway::gateway {

using upstream::PickRefusal;
using upstream::Ticket;

namespace {

std::unexpected<Error> refuse(const std::string& service, std::string_view why) {
  return fail(Error::Code::overloaded, fmt::format("service {}: {}", service, why),
              Error::Blame::upstream, Error::Retry::safe);
}

std::string_view reason_of(PickRefusal refusal) {
  switch (refusal) {
    case PickRefusal::no_endpoints: return "no endpoint is running";
    case PickRefusal::none_fit: return "no endpoint is healthy";
    case PickRefusal::all_at_capacity: return "all endpoints are busy and the queue is full";
  }
  return "no endpoint";
}

}  // namespace

void ServiceState::grant(Instant now, Random& random) {
  while (waiting.grant_next([&](const QueuedPick& ask) -> std::optional<Ticket> {
    auto ticket = cluster.pick({.now = now,
                                .random = random,
                                .hash_key = ask.hash_key,
                                .sticky = ask.sticky,
                                .tried = ask.tried});
    if (!ticket) return std::nullopt;
    cluster.leave_queue(true);
    return *ticket;
  })) {
  }
}

Lease::~Lease() {
  if (service_ != nullptr) settle({});
}

void Lease::settle(upstream::Outcome outcome) {
  std::exchange(service_, nullptr)->settle(ticket_, outcome, *loop_);
}

void Lease::learn(upstream::Outcome outcome) {
  service_->with([&](ServiceState& state) { state.cluster.learn(ticket_, outcome, loop_->now()); });
}

void Service::settle(const Ticket& ticket, upstream::Outcome outcome, runtime::Loop& loop) {
  if (mutated(Mutation::loses_settlement) && outcome.kind != upstream::Outcome{}.kind) return;
  state_->with([&](ServiceState& state) {
    if (state.cluster.settle(ticket, outcome, loop.now())) {
      state.grant(loop.now(), loop.random());
    }
  });
}

runtime::Task<Result<Lease>> Service::acquire(runtime::Loop& loop,
                                              const upstream::PickRequest& request,
                                              Deadline deadline) {
  using Wait = runtime::LineWait<Guarded<ServiceState>, Ticket, QueuedPick>;
  std::optional<Wait> wait;
  auto picked = state_->with([&](ServiceState& state) {
    // A free place that somebody in line could use would have been handed over under this lock, so
    // nobody is overtaken.
    auto ticket = state.cluster.pick(request);
    if (ticket || ticket.error() != PickRefusal::all_at_capacity) return ticket;
    if (const auto until = state.cluster.enter_queue(deadline, request.now)) {
      wait.emplace(*state_, loop, *until,
                   QueuedPick{request.hash_key, request.sticky, request.tried});
      state.waiting.join(wait->place());
    }
    return ticket;
  });
  if (picked) co_return Lease(*this, loop, *picked);
  if (!wait) co_return refuse(name_, reason_of(picked.error()));

  auto granted = co_await *wait;
  if (granted) co_return Lease(*this, loop, *granted);
  state_->with([](ServiceState& state) { state.cluster.leave_queue(false); });
  co_return refuse(name_, "all endpoints are busy and none became free in time");
}

}  // namespace spillway::gateway
