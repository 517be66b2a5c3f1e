// http/http2_stream.cc: waiting for what arrives, and for what may be sent.
#include "http/http2_stream.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "http/http2_session.h"

namespace spillway::http {

using runtime::Task;

namespace {

std::unexpected<Error> broken(uint32_t code) {
  return fail(Error::Code::connection_closed,
              "the HTTP/2 stream was reset with code " + std::to_string(code));
}

}  // namespace

void Http2Stream::open(Http2Session& session, int32_t id) {
  session_ = &session;
  id_ = id;
  news_.emplace(session.loop());
  taken_.emplace(session.loop());
}

void Http2Stream::clear() {
  CHECK(!is_reading_ && !is_writing_);
  unlink();
  session_ = nullptr;
  id_ = 0;
  hangup_ = nullptr;
  arrived_.clear();
  given_.release();
  given_before_.release();
  given_size_ = 0;
  bytes_received_ = bytes_sent_ = 0;
  has_received_end_ = is_in_place_ = is_reader_interrupted_ = false;
  piece_ = {};
  trailers_ = nullptr;
  ends_ = has_sent_end_ = is_writer_interrupted_ = false;
  is_closed_ = false;
  close_code_ = 0;
}

// The peer may send as much again. A body that is whole and in one piece keeps its buffer.
void Http2Stream::give_back() {
  given_before_.release();
  if (given_size_ > 0) session_->consume(id_, std::exchange(given_size_, 0));
  if (!is_in_place_) given_before_ = std::move(given_);
}

size_t Http2Stream::unread() const {
  size_t bytes = given_size_;
  for (const runtime::Buffer& buffer : arrived_) bytes += buffer.filled().size();
  return bytes;
}

Result<std::string_view> Http2Stream::read_arrived() {
  if (!arrived_.empty()) {
    is_in_place_ = has_received_end_ && bytes_received_ == arrived_.front().filled().size();
    give_back();
    given_ = std::move(arrived_.front());
    arrived_.pop_front();
    given_size_ = given_.filled().size();
    return given_.filled();
  }
  if (!has_received_end_ && is_closed_) return broken(close_code_);
  return std::string_view{};
}

Task<Result<std::string_view>> Http2Stream::read(Deadline deadline) {
  while (true) {
    CO_TRY(piece, read_arrived());
    if (!piece.empty() || has_received_end_) co_return piece;
    give_back();
    given_before_.release();
    CO_TRY_VOID(co_await wait_news(deadline));
  }
}

Task<Result<void>> Http2Stream::wait_news(Deadline deadline) {
  news_->reset();
  is_reading_ = true;
  is_reader_interrupted_ = false;
  auto waited = co_await news_->wait(deadline);
  is_reading_ = false;
  if (is_reader_interrupted_) co_return fail(Error::Code::cancelled, "interrupted while reading");
  co_return waited;
}

void Http2Stream::interrupt_reader() {
  if (!is_reading_) return;
  is_reader_interrupted_ = true;
  news_->set();
}

Task<Result<void>> Http2Stream::write(std::string_view piece, bool last, Duration stall_max,
                                      const HeaderList* trailers) {
  CHECK(!is_writing_);
  if (has_sent_end_) co_return Result<void>{};
  if (is_closed_) co_return broken(close_code_);
  if (piece.empty() && !last) co_return Result<void>{};
  piece_ = piece;
  ends_ = last;
  trailers_ = trailers;
  is_writing_ = true;
  is_writer_interrupted_ = false;
  session_->resume(*this, piece.size());
  Result<void> result;
  while (!is_sent() && result) {
    const size_t before = piece_.size();
    taken_->reset();
    auto waited = co_await taken_->wait(Deadline::after(session_->loop().now(), stall_max));
    if (is_sent()) break;
    if (is_closed_) {
      result = broken(close_code_);
    } else if (is_writer_interrupted_) {
      result = fail(Error::Code::cancelled, "interrupted while writing");
    } else if (!waited && piece_.size() == before) {
      result = std::move(waited);
    }
  }
  is_writing_ = false;
  piece_ = {};  // Its bytes are the caller's again.
  ends_ = false;
  trailers_ = nullptr;
  co_return result;
}

void Http2Stream::interrupt_writer() {
  if (!is_writing_) return;
  is_writer_interrupted_ = true;
  taken_->set();
}

void Http2Stream::on_data(std::string_view bytes) {
  bytes_received_ += bytes.size();
  while (!bytes.empty()) {
    if (arrived_.empty() || arrived_.back().space().empty()) {
      arrived_.push_back(session_->loop().buffers().borrow(runtime::BufferSize::small));
    }
    runtime::Buffer& buffer = arrived_.back();
    const size_t size = std::min(bytes.size(), buffer.space().size());
    std::memcpy(buffer.space().data(), bytes.data(), size);
    buffer.add(size);
    bytes.remove_prefix(size);
  }
  news_->set();
}

void Http2Stream::on_end() {
  has_received_end_ = true;
  news_->set();
}

void Http2Stream::on_closed(uint32_t code) {
  is_closed_ = true;
  close_code_ = code;
  unlink();
  news_->set();
  taken_->set();
  if (is_broken()) hang_up();
}

Http2Stream::Piece Http2Stream::peek(size_t size_max) const {
  if (is_sent()) return {.waits = true};
  const size_t size = std::min(size_max, piece_.size());
  return {.size = size, .ends = ends_ && size == piece_.size(), .trailers = trailers_};
}

std::string_view Http2Stream::take(size_t size) {
  const std::string_view taken = piece_.substr(0, size);
  piece_.remove_prefix(size);
  bytes_sent_ += size;
  if (piece_.empty()) taken_->set();
  return taken;
}

void Http2Stream::on_end_taken() {
  has_sent_end_ = true;
  taken_->set();
}

}  // namespace spillway::http
