// gateway/relay.cc: the answer on its way back: streamed, or tunnelled after a switch of protocols.
#include "base/ascii.h"
#include "gateway/attempt.h"
#include "gateway/balance_key.h"
#include "http/hop_by_hop.h"

namespace spillway::gateway {

using http::BodyFraming;
using http::Field;
using runtime::Task;

namespace {

// Whether the answer may take longer than `total`: it has no known end, or is longer than a few
// buffers, so its pace is the client's and only silence ends it.
bool is_stream(const http::ResponseHead& response) {
  constexpr uint64_t short_body_max = 1 << 20;
  return response.framing.kind != BodyFraming::Kind::length ||
         response.framing.length > short_body_max;
}

// Events are there to be seen at once, however slow their reader.
bool may_read_ahead(const http::ResponseHead& response) {
  constexpr std::string_view event_stream = "text/event-stream";
  return !equals_ignoring_case(
      response.fields.value(Field::content_type).substr(0, event_stream.size()), event_stream);
}

}  // namespace

// From the head as the upstream sent it to the head as the client gets it.
Result<void> Proxy::prepare_answer(Attempt& attempt) const {
  http::ResponseHead& response = attempt.call.response();
  if (attempt.switches() && !attempt.context.exchange.request().wants_upgrade) {
    return fail(Error::Code::protocol, "the upstream switched protocols unasked",
                Error::Blame::upstream);
  }
  const bool is_described =
      attempt.context.exchange.request().method == http::Method::head || response.status == 304;
  if (!http::remove_hop_by_hop(response.fields,
                               {.upgrade = attempt.switches(), .content_length = is_described})) {
    return fail(Error::Code::protocol, "too many Connection options", Error::Blame::upstream);
  }
  // What the cache fetches is for all who ask: nobody is told an endpoint of their own.
  const bool has_room =
      response.fields.add(Field::via, via_.value(response.minor_version, response.is_http2)) &&
      (attempt.context.is_fetch ||
       add_sticky_cookie(attempt.context, attempt.lease.ticket(), response.fields));
  if (!has_room) {
    return fail(Error::Code::protocol, "too many header fields", Error::Blame::upstream);
  }
  return {};
}

// Each piece is written before the next is read: a slow client slows the upstream down instead of
// filling our memory. What has arrived is sent before we wait for more, so nothing is held back.
Task<Result<void>> Proxy::relay(Attempt& attempt) {
  Answer& answer = attempt.context.answer;
  http::UpstreamCall& call = attempt.call;
  http::ResponseHead& response = call.response();
  CO_TRY(piece, call.arrived_body());  // What is malformed already can still become a 502.
  if (const Page* page = answer.page_instead(attempt.context, response.status); page != nullptr) {
    co_return Attempt::client_blamed(co_await answer.send_page(
        attempt.context, *page, response.status, response.reason, response.fields));
  }
  CO_TRY_VOID(answer.start(attempt.context, {.status = response.status,
                                             .reason = response.reason,
                                             .fields = response.fields,
                                             .framing = response.framing}));
  if (!is_stream(response)) attempt.body_ends = attempt.limits.total;
  const auto buffer = attempt.context.route->buffer;
  if (buffer && !call.body_ended() && may_read_ahead(response)) {
    co_return co_await relay_ahead(attempt, piece, buffer->bytes);
  }
  while (true) {
    if (piece.empty() && !call.body_ended()) {
      CO_TRY_VOID(Attempt::client_blamed(co_await answer.flush()));
      CO_TRY_VOID(attempt.check_wanted());
      CO_TRY(read, co_await call.read_body(attempt.body_deadline(loop_.now())));
      piece = read;
    }
    // The end may have arrived with the piece: then it leaves with it.
    CO_TRY(next, call.arrived_body());
    const bool is_last = next.empty() && call.body_ended();
    const bool has_trailers = is_last && call.trailers() != nullptr;
    const Instant began = loop_.now();
    CO_TRY_VOID(Attempt::client_blamed(co_await answer.write(piece, is_last && !has_trailers)));
    attempt.client_took(loop_.now() - began);
    if (has_trailers) co_return Attempt::client_blamed(co_await answer.finish(call.trailers()));
    if (is_last) co_return Result<void>{};
    piece = next;
  }
}

// With `buffer`: one coroutine takes from the upstream, this one gives to the client. The upstream
// is free as soon as its part is done.
Task<Result<void>> Proxy::relay_ahead(Attempt& attempt, std::string_view piece, size_t bytes_max) {
  ReadAhead ahead(loop_, bytes_max);
  runtime::Gate filler(loop_);
  CHECK(filler.spawn(fill(attempt, ahead, piece)));
  auto done = co_await drain(attempt, ahead);
  ahead.stop();
  attempt.call.interrupt();
  CHECK((co_await filler.close(Deadline::never())).has_value());
  co_return done;
}

Task<void> Proxy::fill(Attempt& attempt, ReadAhead& ahead, std::string_view piece) {
  http::UpstreamCall& call = attempt.call;
  while (true) {
    const Instant began = loop_.now();
    if (!co_await ahead.put(piece)) co_return;
    attempt.client_took(loop_.now() - began);
    if (call.body_ended()) break;
    if (attempt.interruption.is_interrupted()) co_return ahead.end(attempt.check_wanted());
    auto read = co_await call.read_body(attempt.body_deadline(loop_.now()));
    if (!read) co_return ahead.end(fail(std::move(read).error()));
    piece = *read;
  }
  // While the request's body is still being sent, its connection is in use.
  if (!attempt.is_pumping) release(attempt);
  ahead.end({});
}

Task<Result<void>> Proxy::drain(Attempt& attempt, ReadAhead& ahead) {
  Answer& answer = attempt.context.answer;
  while (true) {
    if (ahead.is_empty()) CO_TRY_VOID(Attempt::client_blamed(co_await answer.flush()));
    CO_TRY(piece, co_await ahead.take());
    const http::HeaderList* trailers = attempt.call.trailers();
    const bool is_last = ahead.is_last() && trailers == nullptr;
    CO_TRY_VOID(Attempt::client_blamed(co_await answer.write(piece, is_last)));
    if (is_last) co_return Result<void>{};
    if (ahead.is_last()) co_return Attempt::client_blamed(co_await answer.finish(trailers));
  }
}

Task<Result<void>> Proxy::tunnel(Attempt& attempt) {
  http::Exchange& exchange = attempt.context.exchange;
  CO_TRY_VOID(Attempt::client_blamed(co_await exchange.switch_protocols(attempt.call.response())));
  attempt.work.is_tunnel = true;
  attempt.context.keep_text();  // An idle tunnel holds no buffer, the head's neither.
  exchange.count_tunnel(co_await exchange.tunnel(attempt.http1->socket(), attempt.http1->received(),
                                                 attempt.limits.websocket_idle));
  co_return Result<void>{};
}

}  // namespace spillway::gateway
