// http/http1_exchange.cc: a response in the form its client understands.
#include "http/http1_exchange.h"

#include "base/check.h"

namespace spillway::http {

Http1Exchange::Http1Exchange(runtime::Socket& socket, runtime::Buffer& received,
                             RequestHead& request, const ClientInfo& client, const DateField& date,
                             const ServerLimits& limits)
    : Exchange(socket.loop(), request, client, limits),
      socket_(socket),
      received_(received),
      date_(date),
      body_(socket, received, Error::Blame::client),
      writer_(socket, limits.write_timeout) {
  body_.start(request.framing);
}

runtime::Task<Result<std::string_view>> Http1Exchange::read_body() {
  // The client waits for our word before it sends (RFC 9110 section 10.1.1).
  if (owes_continue_ && !body_.ended() && !response_started()) {
    CO_TRY_VOID(co_await send_interim(100));
  }
  const Instant began = loop().now();
  auto piece = co_await body_.next(body_deadline());
  end_wait(began, piece);
  if (!piece) co_return piece;
  if (body_.bytes() > limits_.body_bytes_max) {
    close_after();
    co_return fail(Error::Code::limit_exceeded, "the request body is too long",
                   Error::Blame::client);
  }
  co_return piece;
}

void Http1Exchange::cancel() {
  if (hangup_ != nullptr) hangup_->on_hangup(true);
  socket_.interrupt_reader();
  socket_.interrupt_writer();
}

runtime::Task<Result<void>> Http1Exchange::send_interim(uint16_t status, const HeaderList* fields) {
  if (status == 100) owes_continue_ = false;
  if (request_.minor_version == 0 || response_started()) co_return Result<void>{};
  CO_TRY_VOID(writer_.begin({}, [&](HeadWriter& head) {
    head.status_line(status);
    if (fields != nullptr) head.fields(*fields);
    head.end_of_head();
  }));
  co_return co_await writer_.flush();
}

Result<void> Http1Exchange::start_response(uint16_t status, std::string_view reason,
                                           const HeaderList& fields, BodyFraming framing) {
  CHECK(!response_started() && status >= 200);
  const bool is_old = request_.minor_version == 0;
  if (framing.kind == BodyFraming::Kind::until_close) framing.kind = BodyFraming::Kind::chunked;
  if (framing.kind == BodyFraming::Kind::chunked && is_old) {
    framing.kind = BodyFraming::Kind::until_close;
    keep_alive_ = false;
  }
  // Whoever was promised a 100 and never got it may or may not send the body: no way to go on.
  if (owes_continue_ && !body_.ended()) keep_alive_ = false;
  suppresses_body_ = has_no_body(status);
  const BodyFraming sent = suppresses_body_ ? BodyFraming{} : framing;
  TRY_VOID(writer_.begin(sent, [&](HeadWriter& head) {
    head.status_line(status, reason);
    head.fields(fields);
    if (!fields.has(Field::date)) head.field("date", date_.value());
    const bool says_length = status != 204 && framing.kind != BodyFraming::Kind::none;
    if (says_length) head.framing(framing);
    if (!keep_alive_) {
      head.field("connection", "close");
    } else if (is_old) {
      head.field("connection", "keep-alive");
    }
    head.end_of_head();
  }));
  status_ = status;
  return {};
}

runtime::Task<Result<void>> Http1Exchange::switch_protocols(const ResponseHead& response) {
  CHECK(!response_started());
  CO_TRY_VOID(writer_.begin({}, [&](HeadWriter& head) {
    head.status_line(101, response.reason);
    head.fields(response.fields);
    head.field("connection", "upgrade");
    head.end_of_head();
  }));
  status_ = 101;
  has_switched_ = true;
  keep_alive_ = false;
  co_return co_await writer_.flush();
}

}  // namespace spillway::http
