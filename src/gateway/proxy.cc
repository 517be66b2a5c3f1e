// gateway/proxy.cc: attempts, retries and what a client is told when all fail.
#include "gateway/proxy.h"

#include <algorithm>
#include <array>

#include "base/mutation.h"
#include "gateway/attempt.h"
#include "gateway/balance_key.h"
#include "gateway/grpc.h"
#include "gateway/outcome.h"
#include "http/client_cert.h"
#include "http/forwarded.h"
#include "http/hop_by_hop.h"

namespace spillway::gateway {

using http::BodyFraming;
using runtime::Task;
using upstream::Outcome;

namespace {

// 503 says that nothing was done and trying again is right; 502 leaves open what was done.
uint16_t status_of(const Error& error, http::Method method) {
  if (error.blame == Error::Blame::client) {
    switch (error.code) {
      case Error::Code::limit_exceeded: return 413;
      case Error::Code::deadline_exceeded: return 408;
      default: return 400;
    }
  }
  switch (error.code) {
    case Error::Code::overloaded: return 503;
    case Error::Code::deadline_exceeded: return 504;
    case Error::Code::connection_closed:  // It died with the request.
      return http::is_idempotent(method) ? 503 : 502;
    default: return error.retry == Error::Retry::safe ? 503 : 502;
  }
}

void remove_ruled(http::HeaderList& fields, const HeaderRules& rules) {
  for (const ChangedField& field : rules.remove) remove_variables(fields, {&field.name, 1});
  for (const auto& [name, value] : rules.set) remove_variables(fields, {&name, 1});
}

// Some services take trailers for headers: whose word a client may not give there, it may not give
// here.
const http::HeaderList* trailers_of(const RequestContext& context) {
  http::HeaderList* trailers = context.exchange.request_trailers();
  if (trailers == nullptr) return nullptr;
  remove_variables(*trailers, context.proven);
  http::remove_client_cert(*trailers);
  http::remove_forwarded(*trailers, false);
  if (context.request_rules != nullptr) remove_ruled(*trailers, *context.request_rules);
  remove_ruled(*trailers, context.route->request_headers);
  return trailers;
}

}  // namespace

Proxy::Proxy(runtime::Loop& loop, telemetry::Registry& registry, const http::Via& via,
             const ProxyOptions& options)
    : loop_(loop), via_(via), options_(options), pool_(loop, registry), http2_(loop) {}

Proxy::Limits Proxy::limits_of(const RequestContext& context) const {
  const upstream::TimeoutConfig& service = context.service->config().timeouts;
  const RouteTimeouts& route = context.route->timeouts;
  const Instant started = context.exchange.started();
  const http::RequestHead& request = context.exchange.request();
  Deadline whole = Deadline::never();
  if (request.is_grpc()) {
    const http::HeaderField* field = request.fields.find("grpc-timeout");
    const auto timeout = field == nullptr ? std::nullopt : parse_grpc_timeout(field->value);
    if (timeout) whole = Deadline::after(started, *timeout);
  }
  const Duration total = route.total.value_or(service.total);
  return {.total = Deadline::after(started, total).no_later_than(whole),
          .whole = whole,
          .first_byte = route.first_byte.value_or(service.first_byte),
          .idle = route.idle.value_or(service.idle),
          .websocket_idle = route.websocket_idle.value_or(service.websocket_idle)};
}

// Nothing goes to the client before an upstream has sent a response head. Up to that point a failed
// attempt leaves no trace with the client, so it may be repeated (RFC 9110 section 9.2.2); after
// it, never.
Task<void> Proxy::forward(RequestContext& context, RouteMetrics& metrics) {
  RequestBody body(context.exchange, options_.body_kept_max);
  const Limits limits = limits_of(context);

  if (body.wants_prefetch() && !context.exchange.request().expects_continue) {
    if (auto fetched = co_await body.prefetch(); !fetched) {
      co_return co_await answer_error(context, fetched.error());
    }
  }
  Forwarding work(context, body, metrics, limits);
  const auto& hedge = context.service->config().hedge;
  const bool is_hedged = hedge && may_hedge(work);
  for (uint32_t attempts = 1;; ++attempts) {
    auto done = is_hedged && attempts == 1 ? co_await attempt_hedged(work, hedge->after)
                                           : co_await attempt_once(work, std::nullopt);
    if (done) co_return;
    if (context.exchange.response_started() || !may_retry(work, done.error(), attempts)) {
      co_return co_await answer_error(context, done.error());
    }
    metrics.count_retry();
    ++context.retries;
  }
}

bool Proxy::may_retry(const Forwarding& work, const Error& error, uint32_t attempts) const {
  // Nobody to ask is an answer: the queue was the place to wait.
  if (error.code == Error::Code::overloaded || error.blame == Error::Blame::client) return false;
  if (error.code == Error::Code::cancelled || attempts >= attempts_max) return false;
  if (!work.body.is_replayable() || work.limits.total.has_passed(loop_.now())) return false;
  const bool is_safe =
      error.retry == Error::Retry::safe || mutated(Mutation::retries_what_may_have_acted);
  const bool broke = error.code == Error::Code::connection_closed;
  const http::Method method = work.context.exchange.request().method;
  if (!is_safe && !(broke && http::is_idempotent(method))) return false;
  return work.context.service->with(
      [&](ServiceState& state) { return state.cluster.allows_retry(attempts, loop_.now()); });
}

// One attempt. Whatever is learned about the endpoint is told to its cluster.
Task<Result<void>> Proxy::attempt_once(Forwarding& work, std::optional<Lease> lease) {
  RequestContext& context = work.context;
  runtime::Interruption interruption;
  work.under_way.push_back(interruption);
  if (work.client_left) interruption.interrupt();
  if (!lease) {
    const BalanceKey key = balance_key(context);
    auto acquired = co_await context.service->acquire(loop_,
                                                      {.now = loop_.now(),
                                                       .random = loop_.random(),
                                                       .hash_key = key.hash,
                                                       .sticky = key.sticky,
                                                       .tried = work.tried()},
                                                      work.limits.total, interruption);
    if (interruption.is_interrupted()) co_return work.ended();
    if (!acquired) co_return fail(std::move(acquired).error());
    lease.emplace(std::move(*acquired));
  }
  work.note(lease->ticket());
  // A kept-alive connection is there at once.
  Carrier carrier;
  const bool is_http2 = context.service->config().protocol == upstream::UpstreamProtocol::http2;
  if (!is_http2) {
    carrier.connection = pool_.reuse(*lease->ticket().address, context.service->tls());
  }
  if (!carrier.connection) {
    auto fresh = co_await connect(*lease->ticket().address, work, interruption);
    if (!fresh && interruption.is_interrupted()) fresh = work.ended();
    if (!fresh) {
      lease->settle(outcome_of(fresh.error()));
      co_return fail(std::move(fresh).error());
    }
    carrier = std::move(*fresh);
  }
  const auto response = responses_.borrow();
  Attempt attempt(*this, work, interruption, std::move(*lease), std::move(carrier), *response);
  auto done = co_await exchange_heads(attempt);
  if (done) done = prepare_answer(attempt);
  if (done) done = co_await (attempt.switches() ? tunnel(attempt) : relay(attempt));

  if (attempt.was_streamed) co_await stop_pump(attempt);
  if (!done && interruption.is_interrupted()) done = work.ended();
  if (!done && !attempt.pumped && attempt.pumped.error().blame == Error::Blame::client) {
    done = attempt.pumped;  // The client's body failed first; the rest followed from it.
  }
  if (!done && attempt.http1 && mutated(Mutation::reuses_half_read_connection)) {
    pool_.give_back(*attempt.address(), context.service->tls(), attempt.http1->take_connection(),
                    4s);
  }
  if (!done && !attempt.is_released) attempt.lease.settle(outcome_of(done.error()));
  if (done) release(attempt);
  co_return done;
}

// The upstream has done its part: its place and, if it may carry another request, its connection
// are free. The outcome was learned at the answer's head.
void Proxy::release(Attempt& attempt) {
  if (std::exchange(attempt.is_released, true)) return;
  if (attempt.http1 && attempt.http1->is_reusable()) {
    pool_.give_back(*attempt.address(), attempt.context.service->tls(),
                    attempt.http1->take_connection(),
                    attempt.context.service->config().timeouts.keepalive);
  }
  attempt.lease.settle({});
}

// A new connection, or room on one. Errors as ClientPool::connect.
Task<Result<Proxy::Carrier>> Proxy::connect(const SocketAddress& address, const Forwarding& work,
                                            runtime::Interruption& interruption) {
  const auto& config = work.context.service->config();
  const Deadline deadline =
      Deadline::after(loop_.now(), config.timeouts.connect).no_later_than(work.limits.total);
  if (config.protocol == upstream::UpstreamProtocol::http2) {
    CO_TRY(client, co_await http2_.acquire({address, work.context.service->tls()},
                                           {.head = options_.response_head,
                                            .write_timeout = options_.write_timeout,
                                            .keepalive = config.timeouts.keepalive},
                                           deadline, &interruption));
    co_return Carrier{.client = client};
  }
  CO_TRY(connection,
         co_await pool_.connect(address, work.context.service->tls(), deadline, &interruption));
  co_return Carrier{.connection = std::move(connection)};
}

Result<void> Proxy::begin_request(Attempt& attempt, bool is_whole) const {
  RequestContext& context = attempt.context;
  const http::RequestHead& request = context.exchange.request();
  BodyFraming framing = request.framing;
  if (is_whole && !attempt.work.body.kept().empty()) {
    framing = {.kind = BodyFraming::Kind::length, .length = attempt.work.body.kept().size()};
  }
  // An HTTP/1.0 client need not name a host, but the upstream wants one.
  std::string_view host = context.upstream_host.empty() ? request.authority : context.upstream_host;
  if (host.empty()) {
    host = attempt.address()->is_unix() ? std::string_view("localhost")
                                        : std::string_view(*attempt.lease.ticket().name);
  }
  const std::string_view via = via_.value(request.minor_version, request.is_http2);
  const bool may_upgrade = request.wants_upgrade && attempt.http1;
  return attempt.call.begin(
      {.method = request.method_text,
       .path = context.upstream_path,
       .query = request.query,
       .has_query = request.has_query,
       .scheme = context.scheme,
       .host = host,
       .fields = request.fields,
       .via = via,
       .framing = framing,
       .upgrade = may_upgrade ? request.upgrade_protocol : std::string_view{}});
}

// Sends the request and waits for the answer's head. A body that is not here yet follows while we
// wait, because an upstream may answer before it has read it all.
Task<Result<void>> Proxy::exchange_heads(Attempt& attempt) {
  CO_TRY_VOID(attempt.check_wanted());
  const Instant began = attempt.sent_at = loop_.now();
  const bool is_whole = attempt.work.body.is_complete();
  CO_TRY_VOID(begin_request(attempt, is_whole));
  auto sent = is_whole ? co_await attempt.call.write(attempt.work.body.kept(), true)
                       : co_await attempt.call.flush();
  if (!sent && sent.error().code != Error::Code::connection_closed) {
    co_return fail(attempt.call.blamed(std::move(sent).error()));
  }
  const bool awaits_continue = attempt.context.exchange.request().expects_continue;
  if (sent && !is_whole && !awaits_continue) attempt.start_pump(pump_body(attempt));

  auto head = co_await read_final_head(attempt, sent && !is_whole && awaits_continue);
  // An upstream may answer before it has read all, and close: then its answer counts.
  if (!head && !sent) co_return fail(attempt.call.blamed(std::move(sent).error()));
  if (!head) co_return head;
  CO_TRY_VOID(attempt.claim_client());
  const Duration took = loop_.now() - began;
  attempt.work.metrics.observe_upstream(took);
  attempt.context.upstream_duration = took;
  attempt.lease.learn(Outcome::answered(attempt.call.response().status));
  co_return Result<void>{};
}

// Interim responses travel on to the client (RFC 9110 section 15.2); a 100 lets its body follow. An
// upstream that ignores Expect gets the body after a second (section 10.1.1).
Task<Result<void>> Proxy::read_final_head(Attempt& attempt, bool awaits_continue) {
  constexpr Duration continue_wait = 1s;
  constexpr int interim_max = 16;
  http::Exchange& exchange = attempt.context.exchange;
  for (int interim = 0; interim < interim_max;) {
    CO_TRY_VOID(attempt.check_wanted());
    const Deadline deadline = awaits_continue ? Deadline::after(loop_.now(), continue_wait)
                                              : attempt.head_deadline(loop_.now());
    auto head = co_await attempt.call.read_head(exchange.request().method, deadline);
    const bool timed_out = !head && head.error().code == Error::Code::deadline_exceeded;
    if (timed_out && awaits_continue) {
      awaits_continue = false;
      CO_TRY_VOID(Attempt::client_blamed(co_await exchange.send_interim(100)));
      attempt.start_pump(pump_body(attempt));
      continue;
    }
    const bool may_wait_on = !attempt.head_deadline(loop_.now()).has_passed(loop_.now());
    if (timed_out && may_wait_on) continue;  // The body went on meanwhile.
    if (!head || !attempt.call.response().is_interim()) co_return head;

    ++interim;
    http::ResponseHead& response = attempt.call.response();
    if (!http::remove_hop_by_hop(response.fields)) break;
    CO_TRY_VOID(attempt.claim_client());
    CO_TRY_VOID(
        Attempt::client_blamed(co_await exchange.send_interim(response.status, &response.fields)));
    if (response.status == 100 && awaits_continue) {
      awaits_continue = false;
      attempt.start_pump(pump_body(attempt));
    }
  }
  co_return fail(Error::Code::protocol, "too many interim responses", Error::Blame::upstream);
}

// Carries the request's body up while the answer is waited for. If it fails because of the client,
// nobody waits for the answer; if because of the upstream, its answer decides.
Task<void> Proxy::pump_body(Attempt& attempt) {
  Result<void> carried = co_await carry_body(attempt);
  attempt.is_pumping = false;
  attempt.sent_at = loop_.now();
  if (carried || attempt.stops_pumping) co_return;
  attempt.pumped = std::move(carried);
  const bool is_clients = attempt.pumped.error().blame == Error::Blame::client;
  if (!is_clients || attempt.context.exchange.response_started()) co_return;
  attempt.work.end_attempts();
}

Task<Result<void>> Proxy::carry_body(Attempt& attempt) {
  http::UpstreamCall& call = attempt.call;
  for (uint64_t position = 0; !attempt.stops_pumping;) {
    CO_TRY(piece, co_await attempt.work.body.next(position));
    if (attempt.stops_pumping) break;
    auto sent = piece.empty() ? co_await call.finish(trailers_of(attempt.context))
                              : co_await call.write(piece, false);
    if (!sent) co_return fail(call.blamed(std::move(sent).error()));
    if (piece.empty()) co_return Result<void>{};
  }
  co_return fail(Error::Code::cancelled, "the answer came first");
}

// The answer is complete, or failed: the rest of the request's body is not sent.
Task<void> Proxy::stop_pump(Attempt& attempt) {
  attempt.stops_pumping = true;
  if (attempt.is_pumping) {
    attempt.context.exchange.interrupt_body();
    attempt.call.interrupt();
  }
  CHECK((co_await attempt.pumps.close(Deadline::never())).has_value());
}

// What the client is told when there is no answer to pass on.
Task<void> Proxy::answer_error(RequestContext& context, const Error& error) const {
  context.error = error;
  context.has_failed = true;
  http::Exchange& exchange = context.exchange;
  if (exchange.response_started()) co_return;  // The connection shows the cut.
  const bool client_is_gone =
      error.code == Error::Code::cancelled ||
      (error.blame == Error::Blame::client && error.code == Error::Code::connection_closed);
  if (client_is_gone) {
    exchange.close_after();
    exchange.abandon();
    co_return;
  }
  const uint16_t status = status_of(error, exchange.request().method);
  LocalReply reply{.status = status};
  if (status == 503) reply.fields.push_back({"retry-after", "1"});
  if (status < 500) exchange.close_after();
  // A client that cannot be told is gone, and that is all there is to it.
  (void)co_await context.answer.send(context, reply);
}

}  // namespace spillway::gateway
