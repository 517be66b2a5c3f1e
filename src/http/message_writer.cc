// http/message_writer.cc: framing pieces, and how few sends that takes.
#include "http/message_writer.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "runtime/event.h"

namespace spillway::http {
namespace {

// Below this copying a piece behind its head is cheaper than a second part of a gathered send.
constexpr size_t copied_max = 4096;
// Where source and sink are both always ready, a body never waits by itself.
constexpr size_t bytes_in_turn_max = 1 << 20;
constexpr size_t file_piece_max = 512 << 10;  // Of one sendfile(2).

void append_to(runtime::Buffer& buffer, std::string_view bytes) {
  std::memcpy(buffer.space().data(), bytes.data(), bytes.size());
  buffer.add(bytes.size());
}

iovec part(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

// Puts a small piece behind the head that waits; false if it is not small or there is none.
bool MessageWriter::append(std::string_view piece, bool last) {
  if (!pending_ || piece.size() > copied_max) return false;
  const size_t frame = chunk_size_line_max + chunk_end.size() + last_chunk.size();
  if (pending_.space().size() < piece.size() + frame) return false;
  const bool is_chunked = framing_.kind == BodyFraming::Kind::chunked;
  if (is_chunked && !piece.empty()) {
    char line[chunk_size_line_max];
    append_to(pending_, {line, write_chunk_size(piece.size(), line)});
  }
  if (!piece.empty()) append_to(pending_, piece);
  if (is_chunked && !piece.empty()) append_to(pending_, chunk_end);
  if (is_chunked && last) append_to(pending_, last_chunk);
  return true;
}

runtime::Task<Result<void>> MessageWriter::write(std::string_view piece, bool last) {
  const bool is_chunked = framing_.kind == BodyFraming::Kind::chunked;
  if (framing_.kind == BodyFraming::Kind::length) {
    CHECK(piece.size() <= left_);
    left_ -= piece.size();
    if (last && left_ > 0) {
      co_return fail(Error::Code::protocol, "the body is shorter than its Content-Length");
    }
  }
  body_bytes_ += piece.size();
  is_untouched_ = false;

  std::array<iovec, 5> parts;
  size_t count = 0;
  char line[chunk_size_line_max];
  const bool appended = append(piece, last);
  if (pending_) parts[count++] = part(pending_.filled());
  if (!appended) {
    const bool is_framed = is_chunked && !piece.empty();
    if (is_framed) parts[count++] = part({line, write_chunk_size(piece.size(), line)});
    if (!piece.empty()) parts[count++] = part(piece);
    if (is_framed) parts[count++] = part(chunk_end);
    if (is_chunked && last) parts[count++] = part(last_chunk);
  }
  if (count > 0) {
    CO_TRY_VOID(co_await socket_.write(std::span(parts).first(count), stall_max_));
  }
  pending_.release();
  ended_ = ended_ || last || (framing_.kind == BodyFraming::Kind::length && left_ == 0);
  if (ends_turn(piece.size())) co_await runtime::next_turn(socket_.loop());
  co_return Result<void>{};
}

bool MessageWriter::ends_turn(size_t size) {
  bytes_in_turn_ += size;
  if (bytes_in_turn_ < bytes_in_turn_max) return false;
  bytes_in_turn_ = 0;
  return true;
}

runtime::Task<Result<void>> MessageWriter::write_file(const runtime::FileHandle& file,
                                                      uint64_t offset, uint64_t size) {
  CHECK(framing_.kind == BodyFraming::Kind::length && size <= left_);
  CO_TRY_VOID(co_await flush());
  is_untouched_ = false;
  while (size > 0) {
    const size_t piece = std::min<uint64_t>(size, file_piece_max);
    // What comes after is fetched while this is sent.
    (void)::posix_fadvise(file.fd(), static_cast<off_t>(offset + piece),
                          static_cast<off_t>(std::min<uint64_t>(size - piece, file_piece_max)),
                          POSIX_FADV_WILLNEED);
    CO_TRY(sent, co_await socket_.send_file(file.fd(), offset, piece, stall_max_));
    offset += sent;
    size -= sent;
    left_ -= sent;
    body_bytes_ += sent;
    if (ends_turn(sent)) co_await runtime::next_turn(socket_.loop());
  }
  ended_ = ended_ || left_ == 0;
  co_return Result<void>{};
}

runtime::Task<Result<void>> MessageWriter::flush() {
  if (!pending_) co_return Result<void>{};
  co_return co_await write({}, ended_);
}

runtime::Task<Result<void>> MessageWriter::finish(const HeaderList* trailers) {
  if (ended()) co_return Result<void>{};
  const bool has_trailers = framing_.kind == BodyFraming::Kind::chunked && trailers != nullptr &&
                            !trailers->empty() && !ended_;
  if (!has_trailers) {
    // A message without body has nothing of its own to send but the head.
    const bool is_chunk_end = framing_.kind == BodyFraming::Kind::chunked && !ended_;
    co_return co_await write({}, is_chunk_end || framing_.kind != BodyFraming::Kind::chunked);
  }
  CO_TRY_VOID(co_await flush());
  pending_ = socket_.loop().buffers().borrow(runtime::BufferSize::large);
  HeadWriter writer(pending_.space());
  write_last_chunk(writer, *trailers);
  CHECK(!writer.overflowed());  // Trailers were bounded when they were read.
  pending_.add(writer.size());
  ended_ = true;
  framing_.kind = BodyFraming::Kind::none;
  co_return co_await write({}, true);
}

}  // namespace spillway::http
