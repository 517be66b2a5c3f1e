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

bool Service::Acquire::await_ready() {
  if (interruption_.is_interrupted()) return true;
  return service_.with([this](ServiceState& state) {
    if (request_.tried.empty()) state.cluster.count_request(request_.now);
    // A free place that somebody in line could use would have been handed over under this lock, so
    // nobody is overtaken.
    picked_ = state.cluster.pick(request_);
    if (picked_ || picked_.error() != PickRefusal::all_at_capacity) return true;
    const auto until = state.cluster.enter_queue(deadline_, request_.now);
    if (!until) return true;
    wait_.emplace(*service_.state_, loop_, *until,
                  QueuedPick{request_.hash_key, request_.sticky, request_.tried});
    state.waiting.join(wait_->place());
    return false;
  });
}

void Service::Acquire::await_suspend(std::coroutine_handle<> handle) {
  interruption_.waits_for(*wait_);
  wait_->await_suspend(handle);
}

Result<Lease> Service::Acquire::await_resume() {
  if (wait_) {
    interruption_.waits_no_more();
    auto granted = wait_->await_resume();
    if (granted) return Lease(service_, loop_, *granted);
    service_.with([](ServiceState& state) { state.cluster.leave_queue(false); });
    if (granted.error().code != Error::Code::cancelled) {
      return refuse(service_.name_, "all endpoints are busy and none became free in time");
    }
  }
  if (interruption_.is_interrupted()) {
    return fail(Error::Code::cancelled, "the wait for an endpoint was given up");
  }
  if (!picked_) return refuse(service_.name_, reason_of(picked_.error()));
  return Lease(service_, loop_, *picked_);
}

}  // namespace spillway::gateway
