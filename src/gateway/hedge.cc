// gateway/hedge.cc: a second attempt beside a slow first one; whichever is answered first goes on.
#include "base/mutation.h"
#include "gateway/attempt.h"
#include "gateway/balance_key.h"

namespace spillway::gateway {

using runtime::Task;

// Only what may run twice at once: safe methods (RFC 9110 section 9.2.1), whose body, if any, is
// here. A PUT may be repeated, but its twin could end after the client's next one. A client that is
// kept at one endpoint is known there only.
bool Proxy::may_hedge(const Forwarding& work) {
  const http::RequestHead& request = work.context.exchange.request();
  const bool may_run_twice =
      http::is_safe(request.method) || mutated(Mutation::hedges_whatever_the_method);
  return may_run_twice && !request.wants_upgrade && work.body.is_complete() &&
         !balance_key(work.context).sticky;
}

std::optional<Lease> Proxy::lease_for_hedge(const Forwarding& work) {
  if (work.is_answered || work.client_left || work.tried().empty()) return std::nullopt;
  const BalanceKey key = balance_key(work.context);
  Service& service = *work.context.service;
  const auto ticket = service.with([&](ServiceState& state) {
    return state.cluster.pick_hedge({.now = loop_.now(),
                                     .random = loop_.random(),
                                     .hash_key = key.hash,
                                     .tried = work.tried()});
  });
  if (!ticket) return std::nullopt;
  return Lease(service, loop_, *ticket);
}

Task<void> Proxy::attempt_into(Forwarding& work, std::optional<Lease> lease, Result<void>& result) {
  result = co_await attempt_once(work, std::move(lease));
}

Task<Result<void>> Proxy::attempt_hedged(Forwarding& work, Duration after) {
  runtime::Gate attempts(loop_);
  Result<void> first;
  CHECK(attempts.spawn(attempt_into(work, std::nullopt, first)));
  if (co_await attempts.drained(Deadline::after(loop_.now(), after))) co_return first;

  Result<void> second;
  if (auto lease = lease_for_hedge(work)) {
    work.metrics.count_hedge();
    ++work.context.hedges;
    CHECK(attempts.spawn(attempt_into(work, std::move(lease), second)));
  }
  CHECK((co_await attempts.close(Deadline::never())).has_value());
  // One that was ended for the other's sake has nothing to say.
  const bool was_ended = !first && first.error().code == Error::Code::cancelled;
  co_return was_ended&& work.context.hedges > 0 ? second : first;
}

}  // namespace spillway::gateway
