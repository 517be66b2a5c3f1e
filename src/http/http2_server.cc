// http/http2_server.cc: requests as tasks, floods, and the end in order.
#include "http/http2_server.h"

#include <string>
#include <utility>

#include "base/mutation.h"

namespace spillway::http {

using runtime::Task;

namespace {

// How much of each burden is borne within Http2Limits::burden_window, far above what clients in
// their right mind do: a browser that leaves a page resets its streams, and gRPC measures round
// trips by pings.
constexpr std::array<uint32_t, http2_burden_count> burdens_max = {500, 100, 2000, 1000, 16, 0, 0};

// Requests that their client has reset may take a moment to end. So many more than the streams it
// may have open are waited for; beyond that new ones are refused.
constexpr uint64_t handlers_per_stream = 2;

// What a client sends within a round trip of our first GOAWAY is still served.
constexpr Duration drain_grace = 250ms;

Http2Request& request_of(Http2Stream& stream) { return static_cast<Http2Request&>(stream); }

}  // namespace

Http2Server::Http2Server(runtime::Socket& socket, const ClientInfo& client, ServerContext& context,
                         const ServerLimits& limits, RequestHandler& handler)
    : Http2Session(socket, {.is_server = true,
                            .limits = limits.http2,
                            .head_bytes_max = limits.head.head_bytes_max,
                            .write_timeout = limits.write_timeout}),
      client_(client),
      context_(context),
      limits_(limits),
      handler_(handler),
      handlers_(context.loop),
      head_began_(context.loop.now()),
      idle_since_(context.loop.now()),
      burdens_since_(context.loop.now()) {
  context.counts.http2_connections.add();
}

Task<void> Http2Server::run(runtime::Buffer received) {
  co_await Http2Session::run(std::move(received));
  drop_forming();
  CHECK((co_await handlers_.close(Deadline::never())).has_value());
}

void Http2Server::drop_forming() {
  if (!std::exchange(has_forming_, false)) return;
  forget(*forming_);
  forming_->clear();
  forming_ = {};
}

Http2Stream* Http2Server::begin(int32_t) {
  // One that broke the rules, and that nghttp2 is about to reset: nobody will hear of that.
  if (has_forming_ && !bear(Http2Burden::reset)) terminate(Http2Code::enhance_your_calm);
  drop_forming();
  head_began_ = loop().now();
  if (handlers_.count() + begun_.size() >= handlers_per_stream * limits_.http2.streams) {
    context_.counts.http2_refused_streams.add();
    if (!bear(Http2Burden::reset)) terminate(Http2Code::enhance_your_calm);
    return nullptr;
  }
  forming_ = context_.http2_requests.borrow();
  has_forming_ = true;
  return &*forming_;
}

void Http2Server::on_field(Http2Stream& stream, nghttp2_rcbuf* name, nghttp2_rcbuf* value) {
  Http2RequestHead& received = request_of(stream).received;
  if (!request_of(stream).has_head) {
    received.add(name, value, limits_.head);
  } else {
    received.add_trailer(name, value);
  }
  if (!received.is_bomb(limits_.head)) return;
  if (!bear(Http2Burden::field_bytes)) terminate(Http2Code::enhance_your_calm);
}

void Http2Server::on_stream_closed(Http2Stream& stream) {
  if (has_forming_ && &*forming_ == &stream) drop_forming();
}

bool Http2Server::on_head(Http2Stream& stream, bool is_last) {
  burdens_[static_cast<size_t>(Http2Burden::continuation)] = 0;
  Http2Request& request = request_of(stream);
  if (request.has_head) {
    if (!request.received.are_trailers_too_large()) return true;
    reset(stream, Http2Code::enhance_your_calm);
    return false;
  }
  request.has_head = true;
  request.refusal = request.received.complete(is_last);
  has_forming_ = false;
  begun_.push_back(std::move(forming_));
  return true;
}

bool Http2Server::bear(Http2Burden burden) {
  if (burden == Http2Burden::settings) has_greeted_ = true;
  if (loop().now() - burdens_since_ > limits_.http2.burden_window) {
    burdens_since_ = loop().now();
    burdens_ = {};
  }
  const auto kind = static_cast<size_t>(burden);
  if (++burdens_[kind] <= burdens_max[kind]) return true;
  // Counted once: the connection ends here.
  if (burdens_[kind] == burdens_max[kind] + 1) context_.counts.http2_floods[kind].add();
  return false;
}

void Http2Server::on_batch() {
  for (size_t i = 0; i < begun_.size(); ++i) handlers_.spawn(serve(std::move(begun_[i])));
  begun_.clear();
}

Deadline Http2Server::idle_deadline() const {
  const Instant since = handlers_.count() > 0 ? context_.loop.now() : idle_since_;
  return Deadline::after(since, limits_.idle_timeout);
}

Deadline Http2Server::wait_deadline() {
  Deadline deadline = idle_deadline().no_later_than(goaway_at_);
  if (has_forming_ || !has_greeted_) {
    deadline = deadline.no_later_than(Deadline::after(head_began_, limits_.head_timeout));
  }
  return deadline;
}

bool Http2Server::on_wait_passed() {
  const Instant now = loop().now();
  const bool awaits_head = has_forming_ || !has_greeted_;
  if (awaits_head && Deadline::after(head_began_, limits_.head_timeout).has_passed(now)) {
    context_.counts.head_timeouts.add();
    terminate(Http2Code::no_error);
    return false;
  }
  if (goaway_at_.has_passed(now)) {
    goaway_at_ = Deadline::never();
    refuse_new_streams();
    return true;
  }
  if (!idle_deadline().has_passed(now)) return true;
  terminate(Http2Code::no_error);
  return false;
}

Task<void> Http2Server::serve(Request request) {
  {
    RequestHead& head = request->received.head();
    Http2Exchange exchange(*this, *request, head, request->received, client_,
                           context_.current_date(), limits_);
    if (!request->refusal && head.framing.length > limits_.body_bytes_max) {
      request->refusal = HeadResult::violation(413, "the request body is too long");
    }
    if (request->refusal) {
      co_await refuse(exchange, *request->refusal);
    } else {
      context_.counts.requests.add();
      co_await handler_.serve(exchange);
    }
    co_await settle(exchange, *request);
  }
  forget(*request);
  request->clear();
  idle_since_ = loop().now();
}

Task<void> Http2Server::refuse(Http2Exchange& exchange, const HeadResult& why) {
  context_.counts.bad_requests.add();
  handler_.on_refused({.client = client_,
                       .head = &exchange.request(),
                       .status = why.status,
                       .reason = why.text,
                       .took = loop().now() - head_began_});
  const std::string body = std::string(why.text) + "\n";
  // A client that cannot be told is gone, and that is all there is to it.
  (void)co_await exchange.respond(why.status, "text/plain", body);
}

// The handler is done; what is still owed, in either direction, is settled here.
Task<void> Http2Server::settle(Http2Exchange& exchange, Http2Stream& stream) {
  if (exchange.is_abandoned()) {
    reset(stream, Http2Code::cancel);
    co_return;
  }
  if (exchange.is_unwelcome()) drain();
  if (!exchange.response_started()) {
    (void)co_await exchange.respond(500, "text/plain", "Internal Server Error\n");
  }
  if (exchange.has_switched() && !exchange.response_ended()) (void)co_await exchange.finish();
  if (!exchange.response_ended()) {
    // In mid-body: the client must see that this is not the end (RFC 9113 section 8.1.1).
    context_.counts.truncated.add();
    if (mutated(Mutation::ends_truncated_body_cleanly)) (void)co_await exchange.finish();
    reset(stream, Http2Code::internal_error);
    co_return;
  }
  // RFC 9113 section 8.1: the rest of a body that nobody wants need not be sent.
  if (!stream.receive_ended()) reset(stream, Http2Code::no_error);
}

void Http2Server::drain() {
  if (has_ended()) return;
  if (mutated(Mutation::ignores_drain_when_idle)) return;
  announce_end();
  goaway_at_ = Deadline::after(loop().now(), drain_grace);
  interrupt_wait();
}

void Http2Server::cut() { Http2Session::cut(); }

}  // namespace spillway::http
