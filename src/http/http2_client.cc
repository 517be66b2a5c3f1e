// http/http2_client.cc: requests as streams, and what their ends mean for a second try.
#include "http/http2_client.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "http/head_fields.h"
#include "http/http2_fields.h"

namespace spillway::http {

using runtime::Task;

namespace {

// Calls on one connection; what its upstream allows may be less.
constexpr uint32_t calls_max = 100;
// An interim response that nobody has read yet is kept; more are of no use to anybody.
constexpr size_t interim_max = 4;
// What an upstream may send of an answer that we have not passed on. Readers who stand still hold
// up nobody else: the connection's window is that of all calls.
constexpr uint32_t call_window = 256 << 10;
constexpr Http2Limits client_windows{.window = call_window,
                                     .connection_window = calls_max * call_window};

std::string_view text_of(nghttp2_rcbuf* bytes) {
  const nghttp2_vec text = nghttp2_rcbuf_get_buf(bytes);
  return {reinterpret_cast<const char*>(text.base), text.len};
}

Http2Response& response_of(Http2Stream& stream) { return static_cast<Http2Response&>(stream); }

}  // namespace

void Http2Response::clear() {
  Http2Stream::clear();
  forming.clear();
  interim.clear();
  bytes.clear();
  size.reset();
  trailers.reset();
  trouble = {};
  has_final_head = is_whole = has_large_trailers = false;
}

void Http2Response::add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, const HeadLimits& limits) {
  if (has_final_head) return add_trailer(name, value);
  if (size.add(text_of(name), text_of(value), limits) != 0) {
    trouble = "the response head is too long";
    return;
  }
  const std::string_view name_text = bytes.hold(name);
  const std::string_view value_text = bytes.hold(value);
  if (name_text == ":status") {
    forming.status = parse_decimal<uint16_t>(value_text).value_or(0);
    return;
  }
  if (!forming.fields.add(name_text, value_text)) trouble = "too many header fields";
}

void Http2Response::add_trailer(nghttp2_rcbuf* name, nghttp2_rcbuf* value) {
  const Field id = field_from(text_of(name));
  has_large_trailers |= size.add(text_of(name), text_of(value), http2_trailer_limits) != 0;
  if (has_large_trailers || !may_be_trailer(id)) return;
  if (trailers == nullptr) trailers = std::make_unique<HeaderList>();
  const std::string_view name_text = bytes.hold(name);
  has_large_trailers |= !trailers->add(id, name_text, bytes.hold(value));
}

bool Http2Response::complete(bool is_last) {
  if (has_final_head) return !has_large_trailers;
  size.reset();
  if (forming.is_interim()) {
    if (interim.size() < interim_max) interim.push_back(forming);
    forming.clear();
    return true;
  }
  if (forming.status < 200 || forming.status > 599) trouble = "no status that HTTP/2 knows";
  has_final_head = true;
  is_whole = is_last;
  return true;
}

Http2Client::Http2Client(runtime::Socket& socket, const Http2ClientOptions& options)
    : Http2Session(socket, {.is_server = false,
                            .limits = client_windows,
                            .head_bytes_max = options.head.head_bytes_max,
                            .write_timeout = options.write_timeout}),
      options_(options),
      idle_since_(socket.loop().now()),
      calls_(socket.loop()) {}

Task<void> Http2Client::run() {
  co_await Http2Session::run({});
  ListLink::unlink();
  if (room_ != nullptr) room_->set();
  // Each ends by itself: its stream is closed.
  CHECK((co_await calls_.gone(Deadline::never())).has_value());
}

void Http2Client::close() { cut(); }

bool Http2Client::has_room() const {
  const uint32_t theirs =
      nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return !has_ended() && calls_.count() < std::min(calls_max, theirs) &&
         nghttp2_session_check_request_allowed(session()) != 0;
}

void Http2Client::remove_call() {
  idle_since_ = loop().now();
  calls_.remove();
  if (room_ != nullptr) room_->set();
}

void Http2Client::on_field(Http2Stream& stream, nghttp2_rcbuf* name, nghttp2_rcbuf* value) {
  response_of(stream).add(name, value, options_.head);
}

bool Http2Client::on_head(Http2Stream& stream, bool is_last) {
  const bool is_good = response_of(stream).complete(is_last);
  if (!is_good) reset(stream, Http2Code::protocol_error);
  stream.wake_reader();
  return is_good;
}

Deadline Http2Client::wait_deadline() {
  return Deadline::after(calls_.count() > 0 ? loop().now() : idle_since_, options_.keepalive);
}

bool Http2Client::on_wait_passed() {
  if (calls_.count() > 0 || !wait_deadline().has_passed(loop().now())) return true;
  terminate(Http2Code::no_error);
  return false;
}

Http2Call::Http2Call(Http2Client& client, Stream stream, ResponseHead& response, Duration stall_max)
    : UpstreamCall(response), client_(client), stream_(std::move(stream)), stall_max_(stall_max) {
  client.add_call();
}

Http2Call::~Http2Call() {
  if (stream_->id() != 0) {
    if (!stream_->receive_ended() || !stream_->send_ended()) {
      client_.reset(*stream_, Http2Code::cancel);
    }
    client_.forget(*stream_);
  }
  stream_->clear();
  client_.remove_call();
}

Result<void> Http2Call::begin(const OutgoingRequest& request) {
  std::string target(request.path);
  if (request.has_query) target.append("?").append(request.query);
  std::array<char, 20> digits;
  const auto digits_end =
      std::to_chars(digits.data(), digits.data() + digits.size(), request.framing.length).ptr;
  Http2Fields fields;
  fields.add(":method", request.method);
  fields.add(":scheme", request.scheme);
  fields.add(":authority", request.host);
  fields.add(":path", target);
  fields.add_end_to_end(request.fields);
  if (!request.via.empty()) fields.add("via", request.via);
  has_length_ = request.framing.kind == BodyFraming::Kind::length;
  left_ = request.framing.length;
  if (has_length_) {
    fields.add("content-length", {digits.data(), static_cast<size_t>(digits_end - digits.data())});
  }
  return client_.submit_request(*stream_, fields, !request.framing.is_empty());
}

Task<Result<void>> Http2Call::write(std::string_view piece, bool last) {
  if (has_length_) {
    CHECK(piece.size() <= left_);
    left_ -= piece.size();  // Trailers may follow the last byte.
  }
  return stream_->write(piece, last, stall_max_);
}

Task<Result<void>> Http2Call::flush() {
  client_.wake();
  co_return Result<void>{};
}

Task<Result<void>> Http2Call::finish(const HeaderList* trailers) {
  if (trailers != nullptr && trailers->empty()) trailers = nullptr;
  return stream_->write({}, true, stall_max_, trailers);
}

// RFC 9113 section 8.7: a refused stream, or one that a GOAWAY left out, was not looked at.
Error Http2Call::blamed(Error error) const {
  error.blame = Error::Blame::upstream;
  if (!stream_->is_closed()) return error;
  switch (stream_->close_code()) {
    case NGHTTP2_REFUSED_STREAM: error.retry = Error::Retry::safe; break;
    case NGHTTP2_PROTOCOL_ERROR: error.code = Error::Code::protocol; break;
    default: break;
  }
  return error;
}

// What HTTP/1 says by its framing is known here from the stream itself.
void Http2Call::take_head(const ResponseHead& head) {
  response_.clear();
  response_.is_http2 = true;
  response_.status = head.status;
  response_.reason = reason_of(head.status);
  response_.keep_alive = true;
  for (const HeaderField& field : head.fields) {
    CHECK(response_.fields.add(field.id, field.name, field.value));
  }
}

Task<Result<void>> Http2Call::read_head(Method method, Deadline deadline) {
  while (stream_->interim.empty() && !stream_->has_final_head && stream_->trouble.empty()) {
    if (stream_->is_closed()) {
      co_return fail(blamed({.code = Error::Code::connection_closed,
                             .detail = "the upstream's stream ended before its answer"}));
    }
    auto waited = co_await stream_->wait_news(deadline);
    if (!waited) {
      Error error = std::move(waited).error();
      error.blame = Error::Blame::upstream;
      co_return fail(std::move(error));
    }
  }
  if (!stream_->trouble.empty()) {
    co_return fail(Error::Code::protocol, std::string(stream_->trouble), Error::Blame::upstream);
  }
  if (!stream_->interim.empty()) {
    take_head(stream_->interim.front());
    stream_->interim.erase(stream_->interim.begin());
    co_return Result<void>{};
  }
  take_head(stream_->forming);
  const bool has_no_body = method == Method::head || response_.status == 204 ||
                           response_.status == 304 || stream_->is_whole;
  FramingFields framing;
  if (read_framing(response_.fields, 1, framing)) {
    co_return fail(Error::Code::protocol, "malformed Content-Length", Error::Blame::upstream);
  }
  if (has_no_body) {
    response_.framing = {};
  } else if (framing.has_length) {
    response_.framing = {.kind = BodyFraming::Kind::length, .length = framing.length};
  } else {
    response_.framing = {.kind = BodyFraming::Kind::chunked};
  }
  co_return Result<void>{};
}

Task<Result<std::string_view>> Http2Call::read_body(Deadline deadline) {
  auto piece = co_await stream_->read(deadline);
  if (!piece) co_return fail(blamed(std::move(piece).error()));
  co_return piece;
}

Result<std::string_view> Http2Call::arrived_body() {
  auto piece = stream_->read_arrived();
  if (!piece) return fail(blamed(std::move(piece).error()));
  return piece;
}

void Http2Call::interrupt() {
  stream_->interrupt_reader();
  stream_->interrupt_writer();
}

}  // namespace spillway::http
