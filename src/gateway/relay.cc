// gateway/relay.cc: the answer on its way back: streamed, or tunnelled after a switch of protocols.
#include <algorithm>

#include "gateway/attempt.h"
#include "gateway/balance_key.h"
#include "http/hop_by_hop.h"
#include "http/tunnel.h"

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

}  // namespace

Task<Result<void>> Proxy::answer(Attempt& attempt) {
  http::ResponseHead& response = attempt.call.response();
  const bool switches = response.status == 101;
  if (switches && !attempt.context.exchange.request().wants_upgrade) {
    co_return fail(Error::Code::protocol, "the upstream switched protocols unasked",
                   Error::Blame::upstream);
  }
  const bool is_described =
      attempt.context.exchange.request().method == http::Method::head || response.status == 304;
  if (!http::remove_hop_by_hop(response.fields,
                               {.upgrade = switches, .content_length = is_described})) {
    co_return fail(Error::Code::protocol, "too many Connection options", Error::Blame::upstream);
  }
  if (!response.fields.add(Field::via, via_.value(response.minor_version)) ||
      !add_sticky_cookie(attempt.context, attempt.lease.ticket(), response.fields)) {
    co_return fail(Error::Code::protocol, "too many header fields", Error::Blame::upstream);
  }
  if (switches) co_return co_await tunnel(attempt);
  co_return co_await relay(attempt);
}

// Each piece is written before the next is read: a slow client slows the upstream down instead of
// filling our memory. What has arrived is sent before we wait for more, so nothing is held back.
Task<Result<void>> Proxy::relay(Attempt& attempt) {
  http::Exchange& exchange = attempt.context.exchange;
  http::ClientCall& call = attempt.call;
  const http::ResponseHead& response = call.response();
  CO_TRY_VOID(
      exchange.start_response(response.status, response.reason, response.fields, response.framing));
  const bool has_total = !is_stream(response);
  CO_TRY(piece, call.arrived_body());
  while (true) {
    if (piece.empty() && !call.body_ended()) {
      CO_TRY_VOID(attempt.client_blamed(co_await exchange.flush()));
      const Deadline silence = Deadline::after(loop_.now(), attempt.limits.idle);
      CO_TRY(read, co_await call.read_body(has_total ? silence.no_later_than(attempt.limits.total)
                                                     : silence));
      piece = read;
    }
    // The end may have arrived with the piece: then it leaves with it.
    CO_TRY(next, call.arrived_body());
    const bool is_last = next.empty() && call.body_ended();
    if (is_last && call.trailers() != nullptr) {
      CO_TRY_VOID(attempt.client_blamed(co_await exchange.write(piece, false)));
      co_return attempt.client_blamed(co_await exchange.finish(call.trailers()));
    }
    CO_TRY_VOID(attempt.client_blamed(co_await exchange.write(piece, is_last)));
    if (is_last) co_return Result<void>{};
    piece = next;
  }
}

Task<Result<void>> Proxy::tunnel(Attempt& attempt) {
  http::Exchange& exchange = attempt.context.exchange;
  CO_TRY_VOID(attempt.client_blamed(co_await exchange.switch_protocols(attempt.call.response())));
  exchange.socket().set_hangup_listener(nullptr);
  attempt.context.keep_text();  // An idle tunnel holds no buffer, the head's neither.
  const http::TunnelEnd end =
      co_await http::run_tunnel(exchange.socket(), exchange.received(), attempt.call.socket(),
                                attempt.call.received(), attempt.limits.websocket_idle);
  exchange.count_tunnel(end.bytes_to_upstream, end.bytes_to_client);
  co_return Result<void>{};
}

}  // namespace spillway::gateway
