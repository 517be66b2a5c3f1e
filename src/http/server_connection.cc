// http/server_connection.cc: the life of a client's connection.
#include "http/server_connection.h"

#include "base/mutation.h"
#include "http/http2_server.h"
#include "http/request_parser.h"
#include "runtime/event.h"

namespace spillway::http {

using runtime::BufferSize;
using runtime::Task;

namespace {

// After an answer that leaves request bytes unread, the connection is closed for writing and the
// rest is taken and dropped for a while, so that the answer is not lost to a reset (RFC 9112
// section 9.6).
constexpr Duration linger_max = 2s;
constexpr uint64_t linger_bytes_max = uint64_t{4} << 20;
// A body that nobody wanted is read up to here to save the connection.
constexpr uint64_t skipped_bytes_max = 256 << 10;
// In a drain, a client's next request may be on its way for so long after its last answer, or after
// the drain began if that is later; one that meets a closed connection is lost for the client.
constexpr Duration drain_grace = 250ms;

}  // namespace

ServerConnection::ServerConnection(runtime::Socket socket, const ClientInfo& client,
                                   ServerContext& context, const ServerLimits& limits,
                                   RequestHandler& handler)
    : socket_(std::move(socket)),
      client_(client),
      context_(context),
      limits_(limits),
      handler_(handler) {}

Task<void> ServerConnection::run(runtime::Buffer received) {
  received_ = std::move(received);
  if (client_.speaks_http2) co_return co_await run_http2();
  while (co_await wait_for_request()) {
    auto head = context_.heads.borrow();
    const Arrival arrival = co_await read_head(*head);
    if (arrival == Arrival::http2) co_return co_await run_http2();
    if (arrival == Arrival::closed) break;
    is_first_ = false;
    if (!co_await serve_one(*head)) break;
  }
  received_.release();
  socket_.close();
}

Task<void> ServerConnection::run_http2() {
  Http2Server server(socket_, client_, context_, limits_, handler_);
  http2_ = &server;
  if (is_draining_) server.drain();
  if (is_cut_) server.cut();
  co_await server.run(std::move(received_));
  http2_ = nullptr;
  socket_.close();
}

// To HTTP/1 it is a request of an unknown version: nobody looks for it before that has failed.
bool ServerConnection::is_http2_preface() const {
  constexpr std::string_view first_lines = "PRI * HTTP/2.0\r\n\r\n";
  return is_first_ && !client_.is_secure && received_.filled().starts_with(first_lines);
}

Task<bool> ServerConnection::wait_for_request() {
  const bool has_rest = received_ && !received_.filled().empty();
  if (!has_rest) received_.release();
  if (is_cut_) co_return false;
  if (has_rest || socket_.has_news()) {
    // A client that never lets us wait must not keep the others of this core waiting.
    if (++requests_in_a_row_ >= limits_.pipelined) {
      requests_in_a_row_ = 0;
      co_await runtime::next_turn(context_.loop);
    }
    co_return !is_cut_;
  }
  requests_in_a_row_ = 0;
  Instant since = context_.loop.now();
  while (true) {
    const bool was_draining = is_draining_;
    const Duration limit = was_draining ? drain_grace : limits_.idle_timeout;
    is_idle_ = true;
    const auto ready = co_await socket_.wait_for_newcomer(Deadline::after(since, limit));
    is_idle_ = false;
    if (ready) co_return true;
    if (is_cut_ || !is_draining_) co_return false;
    if (was_draining) {
      // Its request may be here already, if we are the ones who are late.
      co_await runtime::next_turn(context_.loop);
      co_return !is_cut_ && socket_.has_news();
    }
    since = context_.loop.now();
  }
}

Result<void> ServerConnection::make_room() {
  if (!received_) {
    received_ = context_.loop.buffers().borrow(BufferSize::small);
    return {};
  }
  received_.compact();
  if (!received_.space().empty()) return {};
  if (received_.capacity() == runtime::bytes_in(BufferSize::large)) {
    return fail(Error::Code::limit_exceeded, "the head is longer than the largest buffer");
  }
  runtime::Buffer larger = context_.loop.buffers().borrow(BufferSize::large);
  const std::string_view filled = received_.filled();
  std::copy(filled.begin(), filled.end(), larger.space().begin());
  larger.add(filled.size());
  received_ = std::move(larger);
  return {};
}

Task<ServerConnection::Arrival> ServerConnection::read_head(RequestHead& head) {
  head_began_ = context_.loop.now();
  const Deadline deadline = Deadline::after(head_began_, limits_.head_timeout);
  scanner_.reset();
  head.clear();
  while (true) {
    if (received_) {
      const HeadResult result =
          parse_request_head(received_.filled(), limits_.head, scanner_, head);
      if (result.kind == HeadResult::Kind::complete) {
        received_.consume_in_place(result.consumed);
        co_return Arrival::request;
      }
      if (result.kind == HeadResult::Kind::violation) {
        if (is_http2_preface()) co_return Arrival::http2;
        context_.counts.bad_requests.add();
        co_await refuse(result.status, result.text, nullptr);
        co_return Arrival::closed;
      }
    }
    if (!make_room()) {
      co_await refuse(431, "the request head is too long", nullptr);
      co_return Arrival::closed;
    }
    auto count = co_await socket_.read(received_.space(), deadline);
    if (!count && count.error().code == Error::Code::deadline_exceeded) {
      context_.counts.head_timeouts.add();
      co_await refuse(408, "the request head did not arrive in time", nullptr);
      co_return Arrival::closed;
    }
    if (!count || *count == 0) co_return Arrival::closed;
    received_.add(*count);
  }
}

Task<bool> ServerConnection::serve_one(RequestHead& head) {
  context_.counts.requests.add();
  if (head.framing.length > limits_.body_bytes_max) {
    context_.counts.bad_requests.add();
    co_await refuse(413, "the request body is too long", &head);
    co_return false;
  }
  Http1Exchange exchange(socket_, received_, head, client_, context_.current_date(), limits_);
  if (is_draining_) exchange.close_after();
  exchange_ = &exchange;
  co_await handler_.serve(exchange);
  exchange_ = nullptr;
  // Nearly always all is said and all is read.
  if (!is_complete(exchange) && !co_await settle(exchange)) co_return false;
  exchange.body().give_rest_to(received_);
  co_return true;
}

bool ServerConnection::is_complete(const Http1Exchange& exchange) const {
  return exchange.response_ended() && exchange.body_ended() && exchange.keeps_alive() &&
         !exchange.has_switched() && !exchange.is_abandoned() && !is_cut_;
}

Task<bool> ServerConnection::settle(Http1Exchange& exchange) {
  if (exchange.has_switched()) co_return false;
  const bool is_gone = exchange.is_abandoned() || is_cut_;
  if (!exchange.response_started() && !is_gone) {
    exchange.close_after();
    if (!co_await exchange.respond(500, "text/plain", "Internal Server Error\n")) co_return false;
  }
  if (exchange.response_started() && !exchange.response_ended()) {
    // In mid-body: the client must see that this is not the end (RFC 9112 section 8).
    context_.counts.truncated.add();
    if (mutated(Mutation::ends_truncated_body_cleanly)) {
      (void)co_await exchange.finish();
      co_return false;
    }
    socket_.reset_on_close();
    co_return false;
  }
  if (is_gone) co_return false;
  if (!exchange.body_ended() && !co_await skip_body(exchange)) {
    co_await linger();
    co_return false;
  }
  if (!exchange.keeps_alive()) {
    // What the client sent behind this request would turn our close into a reset.
    if (!received_.filled().empty() || socket_.has_news()) co_await linger();
    co_return false;
  }
  co_return true;
}

Task<bool> ServerConnection::skip_body(Http1Exchange& exchange) {
  if (!exchange.keeps_alive()) co_return false;
  const uint64_t before = exchange.body().bytes();
  const Deadline deadline = Deadline::after(context_.loop.now(), linger_max);
  while (!exchange.body_ended()) {
    if (exchange.body().bytes() - before > skipped_bytes_max) co_return false;
    if (!co_await exchange.body().next(deadline)) co_return false;
  }
  co_return true;
}

Task<void> ServerConnection::linger() {
  socket_.shutdown_write();
  const Deadline deadline = Deadline::after(context_.loop.now(), linger_max);
  runtime::Buffer sink = context_.loop.buffers().borrow(BufferSize::small);
  for (uint64_t taken = 0; taken < linger_bytes_max && !is_cut_;) {
    auto count = co_await socket_.read(sink.space(), deadline);
    if (!count || *count == 0) co_return;
    taken += *count;
  }
}

Task<void> ServerConnection::refuse(uint16_t status, std::string_view text,
                                    const RequestHead* request) {
  handler_.on_refused({.client = client_,
                       .head = request,
                       .status = status,
                       .reason = text,
                       .took = context_.loop.now() - head_began_});
  MessageWriter writer(socket_, limits_.write_timeout);
  const BodyFraming framing{.kind = BodyFraming::Kind::length, .length = text.size() + 1};
  const auto begun = writer.begin(framing, [&](HeadWriter& head) {
    head.status_line(status);
    head.field("date", context_.current_date().value());
    head.field("content-type", "text/plain");
    head.framing(framing);
    head.field("connection", "close");
    head.end_of_head();
    head.text(text);
    head.text("\n");
  });
  if (begun && co_await writer.flush()) co_await linger();
}

void ServerConnection::drain() {
  is_draining_ = true;
  if (http2_ != nullptr) return http2_->drain();
  if (mutated(Mutation::ignores_drain_when_idle)) return;
  if (exchange_ != nullptr && !exchange_->response_started()) exchange_->close_after();
  if (is_idle_) socket_.interrupt_reader();
}

void ServerConnection::cut() {
  is_draining_ = is_cut_ = true;
  if (!socket_) return;  // It has ended by itself.
  if (http2_ != nullptr) return http2_->cut();
  if (exchange_ != nullptr) exchange_->cancel();
  socket_.interrupt_reader();
  socket_.interrupt_writer();
}

}  // namespace spillway::http
