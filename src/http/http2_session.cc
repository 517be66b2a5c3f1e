// http/http2_session.cc: feeding nghttp2, and gathering what it wants to send.
#include "http/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "http/http2_fields.h"

namespace spillway::http {

using runtime::BufferSize;
using runtime::Task;

namespace {

constexpr size_t small_bytes = runtime::bytes_in(BufferSize::small);
constexpr size_t frame_head_bytes = 9;
// Where the peer is always ready, neither direction ever waits by itself.
constexpr size_t bytes_in_turn_max = 1 << 20;
constexpr size_t reads_in_turn_max = 16;
// A peer that was told to calm down may go on sending; what it sends for so long is dropped, so
// that our last word is not lost to a reset.
constexpr Duration linger_max = 1s;
constexpr size_t linger_bytes_max = 1 << 20;

// Of frames without bodies that wait to be sent, some 150 bytes each.
constexpr size_t outbound_frames_max = 4096;

std::string_view text_of(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// What nghttp2 calls. A failure ends the connection.
struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }
  static Http2Stream* stream_of(nghttp2_session* session, int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static int bear(void* user, Http2Burden burden) {
    if (!self(user).bear(burden)) self(user).terminate(Http2Code::enhance_your_calm);
    return 0;
  }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    return head->type == NGHTTP2_CONTINUATION ? bear(user, Http2Burden::continuation) : 0;
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    Http2Stream* stream = self(user).begin(frame->hd.stream_id);
    if (stream == nullptr) {
      // The stream cannot be reset by a return value here without blaming the peer.
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_REFUSED_STREAM);
      return 0;
    }
    stream->open(self(user), frame->hd.stream_id);
    self(user).streams_.push_back(*stream);
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                       nghttp2_rcbuf* value, uint8_t, void* user) {
    Http2Stream* stream = stream_of(session, frame->hd.stream_id);
    if (stream != nullptr) self(user).on_field(*stream, name, value);
    return 0;
  }

  // nghttp2 would leave the field out; a request that breaks the rules is none (RFC 9113
  // section 8.2.1).
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*,
                               nghttp2_rcbuf*, uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Http2Stream* stream = stream_of(session, frame->hd.stream_id);
    const bool is_last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (stream == nullptr) return 0;
        if (self(user).on_head(*stream, is_last) && is_last) stream->on_end();
        return 0;
      case NGHTTP2_DATA:
        if (stream != nullptr && is_last) stream->on_end();
        if (!is_last && frame->hd.length == frame->data.padlen) {
          return bear(user, Http2Burden::empty_data);
        }
        return 0;
      case NGHTTP2_SETTINGS:
        return (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 ? 0 : bear(user, Http2Burden::settings);
      case NGHTTP2_PING:
        return (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 ? 0 : bear(user, Http2Burden::ping);
      default: return 0;
    }
  }

  // A request beyond the limit of streams, refused before our owner heard of it: no stream will be
  // closed. What else is invalid shows there.
  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame*, int why, void* user) {
    return why == NGHTTP2_ERR_REFUSED_STREAM ? bear(user, Http2Burden::reset) : 0;
  }

  // A reset that is asked for earlier would take the place of such a head.
  static int on_frame_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    Http2Stream* stream = stream_of(session, frame->hd.stream_id);
    if (stream != nullptr) stream->on_end_taken();
    return 0;
  }

  // A request that was to open a stream when the peer's GOAWAY came.
  static int on_frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    IntrusiveList<Http2Stream>& streams = self(user).streams_;
    for (auto* stream = streams.first(); stream != nullptr; stream = streams.next(*stream)) {
      if (stream->id() != frame->hd.stream_id) continue;
      stream->on_closed(NGHTTP2_REFUSED_STREAM);
      break;
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes,
                     size_t size, void* user) {
    Http2Stream* stream = stream_of(session, id);
    if (stream == nullptr) {
      nghttp2_session_consume_connection(session, size);
    } else {
      stream->on_data(text_of(bytes, size));
    }
    (void)user;
    return 0;
  }

  static int on_stream_close(nghttp2_session* session, int32_t id, uint32_t code, void* user) {
    Http2Stream* stream = stream_of(session, id);
    if (stream == nullptr) return 0;  // Its owner is done with it.
    const bool is_burden = !stream->send_ended();
    stream->on_closed(code);
    self(user).on_stream_closed(*stream);  // Which may give it back to its pool.
    return is_burden ? bear(user, Http2Burden::reset) : 0;
  }

  static ssize_t read_piece(nghttp2_session* session, int32_t id, uint8_t*, size_t size_max,
                            uint32_t* flags, nghttp2_data_source*, void* user) {
    Http2Stream* stream = stream_of(session, id);
    if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;
    const size_t room = self(user).output_.capacity() - frame_head_bytes;
    const Http2Stream::Piece piece = stream->peek(std::min(size_max, room));
    if (piece.waits) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!piece.ends) return static_cast<ssize_t>(piece.size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (piece.trailers == nullptr) return static_cast<ssize_t>(piece.size);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    Http2Fields fields;
    for (const HeaderField& field : *piece.trailers) fields.add(field.name, field.value);
    if (nghttp2_submit_trailer(session, id, fields.data(), fields.size()) != 0) {
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    stream->on_end_taken();
    return static_cast<ssize_t>(piece.size);
  }

  static int send_piece(nghttp2_session* session, nghttp2_frame* frame, const uint8_t* head,
                        size_t size, nghttp2_data_source*, void* user) {
    runtime::Buffer& output = self(user).output_;
    if (output.space().size() < frame_head_bytes + size) {
      self(user).frame_waits_ = true;
      return NGHTTP2_ERR_WOULDBLOCK;
    }
    Http2Stream* stream = stream_of(session, frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const Http2Stream::Piece piece = stream->peek(size);
    // Its writer gave up between the two calls: what the peer sees is a cut.
    if (piece.size != size) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::memcpy(output.space().data(), head, frame_head_bytes);
    output.add(frame_head_bytes);
    const std::string_view bytes = stream->take(size);
    if (size > 0) std::memcpy(output.space().data(), bytes.data(), size);
    output.add(size);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) stream->on_end_taken();
    return 0;
  }

  using Set = std::unique_ptr<nghttp2_session_callbacks, void (*)(nghttp2_session_callbacks*)>;
  static Set make() {
    nghttp2_session_callbacks* made = nullptr;
    CHECK(nghttp2_session_callbacks_new(&made) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(made, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(made, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(made, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, on_frame_not_sent);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(made, send_piece);
    return {made, nghttp2_session_callbacks_del};
  }
};

void Http2Session::Free::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

Http2Session::Http2Session(runtime::Socket& socket, const Http2SessionOptions& options)
    : socket_(socket), options_(options), output_wanted_(socket.loop()), sender_(socket.loop()) {
  const auto callbacks = Callbacks::make();
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  const std::unique_ptr<nghttp2_option, void (*)(nghttp2_option*)> owned(option,
                                                                         nghttp2_option_del);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);  // Only priorities would need them.
  // The owner counts what may come in floods, and ends them before.
  nghttp2_option_set_max_continuations(option, 64);
  nghttp2_option_set_max_outbound_ack(option, outbound_frames_max);
  nghttp2_session* made = nullptr;
  const auto make = options.is_server ? nghttp2_session_server_new2 : nghttp2_session_client_new2;
  CHECK(make(&made, callbacks.get(), this, option) == 0);
  session_.reset(made);

  const std::array<nghttp2_settings_entry, 5> server{{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.limits.window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(options.head_bytes_max)},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.limits.streams},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
  }};
  const std::array<nghttp2_settings_entry, 3> client{
      {server[0], server[1], {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}}};
  CHECK(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE,
                                options.is_server ? server.data() : client.data(),
                                options.is_server ? server.size() : client.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(
            made, NGHTTP2_FLAG_NONE, 0, static_cast<int32_t>(options.limits.connection_window)) ==
        0);
}

Http2Session::~Http2Session() { CHECK(streams_.empty()); }

void Http2Session::wake() {
  if (!has_ended_ && nghttp2_session_want_write(session_.get()) != 0) output_wanted_.set();
}

void Http2Session::resume(Http2Stream& stream, size_t bytes) {
  pending_ += bytes;
  // An error says that it is not deferred, and so about to be asked anyway.
  (void)nghttp2_session_resume_data(session_.get(), stream.id());
  wake();
}

void Http2Session::consume(int32_t id, size_t bytes) {
  if (has_ended_) return;
  CHECK(nghttp2_session_consume(session_.get(), id, bytes) == 0);
  wake();
}

void Http2Session::consume_of_connection(size_t bytes) {
  if (has_ended_) return;
  CHECK(nghttp2_session_consume_connection(session_.get(), bytes) == 0);
  wake();
}

void Http2Session::reset(Http2Stream& stream, Http2Code code) {
  if (stream.is_closed() || has_ended_) return;
  (void)nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id(),
                                  static_cast<uint32_t>(code));
  wake();
}

Result<void> Http2Session::submit_response(Http2Stream& stream, const Http2Fields& fields,
                                           bool has_body) {
  if (stream.is_closed() || has_ended_) {
    return fail(Error::Code::connection_closed, "the HTTP/2 stream has ended");
  }
  const nghttp2_data_provider source{.source = {.ptr = nullptr},
                                     .read_callback = Callbacks::read_piece};
  CHECK(nghttp2_submit_response(session_.get(), stream.id(), fields.data(), fields.size(),
                                has_body ? &source : nullptr) == 0);
  return {};
}

Result<void> Http2Session::submit_request(Http2Stream& stream, const Http2Fields& fields,
                                          bool has_body) {
  const nghttp2_data_provider source{.source = {.ptr = nullptr},
                                     .read_callback = Callbacks::read_piece};
  const int32_t id =
      has_ended_ ? NGHTTP2_ERR_SESSION_CLOSING
                 : nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                          has_body ? &source : nullptr, &stream);
  if (id < 0) {
    return fail(Error::Code::connection_closed, nghttp2_strerror(id), Error::Blame::upstream,
                Error::Retry::safe);
  }
  stream.open(*this, id);
  streams_.push_back(stream);
  return {};
}

Result<void> Http2Session::submit_interim(Http2Stream& stream, const Http2Fields& fields) {
  if (stream.is_closed() || has_ended_) {
    return fail(Error::Code::connection_closed, "the HTTP/2 stream has ended");
  }
  CHECK(nghttp2_submit_headers(session_.get(), NGHTTP2_FLAG_NONE, stream.id(), nullptr,
                               fields.data(), fields.size(), nullptr) == 0);
  wake();
  return {};
}

void Http2Session::forget(Http2Stream& stream) {
  if (!stream.is_closed() && !has_ended_) {
    nghttp2_session_set_stream_user_data(session_.get(), stream.id(), nullptr);
  }
  consume_of_connection(stream.unread());
  stream.unlink();
}

void Http2Session::end_stream(Http2Stream& stream) {
  stream.end();
  resume(stream, 0);
}

void Http2Session::terminate(Http2Code code) {
  if (has_ended_) return;
  is_terminated_ = true;
  (void)nghttp2_session_terminate_session(session_.get(), static_cast<uint32_t>(code));
  output_wanted_.set();
}

void Http2Session::announce_end() {
  (void)nghttp2_submit_shutdown_notice(session_.get());
  wake();
}

void Http2Session::refuse_new_streams() {
  (void)nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session_.get()),
                              NGHTTP2_NO_ERROR, nullptr, 0);
  wake();
}

void Http2Session::cut() {
  is_cut_ = true;
  socket_.interrupt_reader();
  socket_.interrupt_writer();
}

bool Http2Session::is_over() const {
  return is_cut_ || has_ended_ ||
         (nghttp2_session_want_read(session_.get()) == 0 &&
          nghttp2_session_want_write(session_.get()) == 0);
}

Task<void> Http2Session::run(runtime::Buffer received) {
  received_ = std::move(received);
  CHECK(sender_.spawn(send_all()));
  wake();
  if (!received_ || digest(received_.filled())) {
    received_.release();
    while (!is_over() && co_await receive()) {
    }
  }
  received_.release();
  // What is still to be said, such as why the connection ends.
  wake();
  if (!is_terminated_ || is_cut_) has_ended_ = true;
  end_streams();
  output_wanted_.set();
  if (is_cut_) socket_.interrupt_writer();
  CHECK((co_await sender_.close(Deadline::never())).has_value());
  if (is_terminated_ && !is_cut_) co_await linger();
  has_ended_ = true;
}

void Http2Session::end_streams() {
  while (Http2Stream* stream = streams_.first()) {
    nghttp2_session_set_stream_user_data(session_.get(), stream->id(), nullptr);
    stream->on_closed(static_cast<uint32_t>(Http2Code::cancel));
  }
}

// One read and what comes of it; false: the connection ends.
Task<bool> Http2Session::receive() {
  const Deadline deadline = wait_deadline();
  if (!socket_.has_news()) reads_in_a_row_ = 0;
  if (++reads_in_a_row_ >= reads_in_turn_max) {
    reads_in_a_row_ = 0;
    co_await runtime::next_turn(loop());
  }
  Result<void> ready;
  if (is_new_work()) {
    ready = co_await socket_.wait_for_newcomer(deadline);
  } else {
    ready = co_await socket_.wait_readable(deadline);
  }
  if (is_over()) co_return false;
  if (!ready) {
    if (ready.error().code == Error::Code::cancelled) co_return true;  // Look at the clock again.
    co_return on_wait_passed();
  }
  received_ = loop().buffers().borrow(has_large_input_ ? BufferSize::large : BufferSize::small);
  auto count = co_await socket_.read(received_.space(), deadline);
  if (!count && count.error().code == Error::Code::cancelled) {
    received_.release();
    co_return !is_over();
  }
  if (!count || *count == 0) co_return false;
  has_large_input_ = *count >= small_bytes;
  received_.add(*count);
  const bool goes_on = digest(received_.filled());
  received_.release();
  co_return goes_on;
}

bool Http2Session::digest(std::string_view bytes) {
  const ssize_t used = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    const bool is_flood = used != NGHTTP2_ERR_BAD_CLIENT_MAGIC;
    terminate(is_flood ? Http2Code::enhance_your_calm : Http2Code::protocol_error);
    return false;
  }
  on_batch();
  wake();
  if (nghttp2_session_get_outbound_queue_size(session_.get()) > outbound_frames_max &&
      !bear(Http2Burden::unread)) {
    terminate(Http2Code::enhance_your_calm);
    return false;
  }
  return true;
}

// What tasks have left to be sent in this turn goes out together.
Task<void> Http2Session::send_all() {
  size_t bytes_in_turn = 0;
  while (true) {
    (void)co_await output_wanted_.wait(Deadline::never());
    output_wanted_.reset();
    while (!is_cut_ && gather()) {
      std::array<iovec, 2> parts{
          {{const_cast<char*>(output_.filled().data()), output_.filled().size()},
           {const_cast<char*>(rest_.data()), rest_.size()}}};
      bytes_in_turn += output_.filled().size() + rest_.size();
      const auto sent = co_await socket_.write(std::span(parts).first(rest_.empty() ? 1 : 2),
                                               options_.write_timeout);
      output_.release();
      rest_ = {};
      if (!sent) is_cut_ = true;
      if (bytes_in_turn >= bytes_in_turn_max) {
        bytes_in_turn = 0;
        co_await runtime::next_turn(loop());
      }
    }
    if (is_over()) break;
  }
  socket_.interrupt_reader();
}

// Fills output_ with what may be sent; false: there is nothing.
bool Http2Session::gather() {
  if (has_ended_ || nghttp2_session_want_write(session_.get()) == 0) {
    pending_ = 0;
    return false;
  }
  // A frame that found no room was cut for a large one, and needs it.
  const bool needs_large = std::exchange(frame_waits_, false) || pending_ > small_bytes / 2;
  output_ = loop().buffers().borrow(needs_large ? BufferSize::large : BufferSize::small);
  while (true) {
    const uint8_t* frame = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_.get(), &frame);
    if (size < 0) is_cut_ = true;
    if (size <= 0) break;
    const std::string_view bytes = text_of(frame, static_cast<size_t>(size));
    if (output_.space().size() < bytes.size()) {
      rest_ = bytes;
      break;
    }
    std::memcpy(output_.space().data(), bytes.data(), bytes.size());
    output_.add(bytes.size());
  }
  if (output_.filled().empty() && rest_.empty()) {
    output_.release();
    return false;
  }
  pending_ -= std::min(pending_, output_.filled().size());
  return true;
}

Task<void> Http2Session::linger() {
  socket_.shutdown_write();
  const Deadline deadline = Deadline::after(loop().now(), linger_max);
  runtime::Buffer sink = loop().buffers().borrow(BufferSize::small);
  for (size_t taken = 0; taken < linger_bytes_max && !is_cut_;) {
    auto count = co_await socket_.read(sink.space(), deadline);
    if (!count || *count == 0) co_return;
    taken += *count;
  }
}

}  // namespace spillway::http
