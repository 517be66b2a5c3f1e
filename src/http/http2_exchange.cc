// http/http2_exchange.cc: answers as frames, and a tunnel through a stream.
#include "http/http2_exchange.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>

#include "base/check.h"
#include "http/http2_fields.h"
#include "http/http2_head.h"
#include "http/tunnel_relay.h"
#include "http/websocket.h"

namespace spillway::http {

using runtime::Task;

namespace {

// A number as text.
template <class Number>
class Digits {
 public:
  explicit Digits(Number number)
      : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof text_, number).ptr - text_)) {
  }
  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[20];
  size_t size_;
};

// The client's end of a tunnel, used as a socket is.
class StreamEnd {
 public:
  StreamEnd(Http2Session& session, Http2Stream& stream) : session_(session), stream_(stream) {}
  runtime::Loop& loop() const { return session_.loop(); }

  // Bytes that were given out and not read yet, or the end.
  Task<Result<void>> wait_readable(Deadline deadline) {
    if (!piece_.empty()) co_return Result<void>{};
    CO_TRY(piece, co_await stream_.read(deadline));
    piece_ = piece;
    co_return Result<void>{};
  }
  Task<Result<size_t>> read(std::span<char> into, Deadline deadline) {
    CO_TRY_VOID(co_await wait_readable(deadline));
    const size_t size = std::min(piece_.size(), into.size());
    if (size > 0) std::memcpy(into.data(), piece_.data(), size);
    piece_.remove_prefix(size);
    co_return size;
  }
  Task<Result<void>> write(std::span<iovec> parts, Duration stall_max) {
    for (const iovec& part : parts) {
      const std::string_view piece(static_cast<const char*>(part.iov_base), part.iov_len);
      CO_TRY_VOID(co_await stream_.write(piece, false, stall_max));
    }
    co_return Result<void>{};
  }
  // The end of the stream; what is behind it is only this frame, so nobody waits for it.
  void shutdown_write() { session_.end_stream(stream_); }
  void interrupt_reader() { stream_.interrupt_reader(); }
  void interrupt_writer() { stream_.interrupt_writer(); }

 private:
  Http2Session& session_;
  Http2Stream& stream_;
  std::string_view piece_;
};

}  // namespace

Task<Result<std::string_view>> Http2Exchange::read_body() {
  if (owes_continue_ && !body_ended() && !response_started()) {
    CO_TRY_VOID(co_await send_interim(100));
  }
  const Instant began = loop().now();
  auto piece = co_await stream_.read(body_deadline());
  end_wait(began, piece);
  if (!piece) {
    piece.error().blame = Error::Blame::client;
    co_return piece;
  }
  if (stream_.bytes_received() > limits_.body_bytes_max) {
    co_return fail(Error::Code::limit_exceeded, "the request body is too long",
                   Error::Blame::client);
  }
  co_return piece;
}

Task<Result<void>> Http2Exchange::send_interim(uint16_t status, const HeaderList* fields) {
  if (status == 100) owes_continue_ = false;
  if (response_started()) co_return Result<void>{};
  const Digits<uint16_t> status_text(status);
  Http2Fields sent;
  sent.add(":status", status_text.text());
  if (fields != nullptr) sent.add_end_to_end(*fields);
  co_return session_.submit_interim(stream_, sent);
}

// `length`: what Content-Length says, or null.
Result<void> Http2Exchange::submit(uint16_t status, const HeaderList& fields,
                                   const BodyFraming* length, bool has_body) {
  const Digits<uint16_t> status_text(status);
  const Digits<uint64_t> length_text(length == nullptr ? 0 : length->length);
  Http2Fields sent;
  sent.add(":status", status_text.text());
  sent.add_end_to_end(fields);
  if (!fields.has(Field::date)) sent.add("date", date_.value());
  if (length != nullptr) sent.add("content-length", length_text.text());
  TRY_VOID(session_.submit_response(stream_, sent, has_body));
  status_ = status;
  return {};
}

Result<void> Http2Exchange::start_response(uint16_t status, std::string_view,
                                           const HeaderList& fields, BodyFraming framing) {
  CHECK(!response_started() && status >= 200);
  // To the client any 2xx would say that the tunnel is there (RFC 8441 section 5).
  if (is_tunnel() && status < 300) {
    return fail(Error::Code::protocol, "the upstream answered an upgrade without switching",
                Error::Blame::upstream);
  }
  suppresses_body_ = has_no_body(status);
  const bool has_body = !suppresses_body_ && !framing.is_empty();
  const bool says_length = framing.kind == BodyFraming::Kind::length && status != 204;
  has_length_ = has_body && says_length;
  left_ = framing.length;
  return submit(status, fields, says_length ? &framing : nullptr, has_body);
}

Task<Result<void>> Http2Exchange::write(std::string_view piece, bool last) {
  if (suppresses_body_) return stream_.write({}, true, limits_.write_timeout);
  if (has_length_) {
    CHECK(piece.size() <= left_);
    left_ -= piece.size();  // Trailers may follow the last byte.
  }
  return stream_.write(piece, last, limits_.write_timeout);
}

// The frames leave at the end of this turn in any case.
Task<Result<void>> Http2Exchange::flush() {
  if (stream_.is_broken()) co_return fail(Error::Code::connection_closed, "the client has left");
  session_.wake();
  co_return Result<void>{};
}

Task<Result<void>> Http2Exchange::finish(const HeaderList* trailers) {
  if (suppresses_body_ || (trailers != nullptr && trailers->empty())) trailers = nullptr;
  return stream_.write({}, true, limits_.write_timeout, trailers);
}

// RFC 8441 section 5: what was 101 is 200, and the handshake's own fields are not for the client.
Task<Result<void>> Http2Exchange::switch_protocols(const ResponseHead& response) {
  CHECK(!response_started() && is_tunnel());
  const std::string_view key = request_.fields.value(Field::sec_websocket_key);
  if (response.fields.value(Field::sec_websocket_accept) != websocket_accept(key)) {
    co_return fail(Error::Code::protocol, "the upstream's Sec-WebSocket-Accept is wrong",
                   Error::Blame::upstream);
  }
  HeaderList fields = response.fields;
  fields.remove(Field::sec_websocket_accept);
  CO_TRY_VOID(submit(200, fields, nullptr, true));
  has_switched_ = true;
  session_.wake();
  co_return Result<void>{};
}

Task<TunnelEnd> Http2Exchange::tunnel(runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                      Duration idle_max) {
  StreamEnd client(session_, stream_);
  runtime::Buffer from_client;
  co_return co_await relay_both_ways(client, from_client, upstream, from_upstream, idle_max);
}

}  // namespace spillway::http
