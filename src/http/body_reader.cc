// http/body_reader.cc: decoding what is there, reading more when nothing is.
#include "http/body_reader.h"

#include <string>

namespace spillway::http {

using runtime::BufferSize;

void BodyReader::start(const BodyFraming& framing) {
  decoder_ = BodyDecoder(framing);
  length_ = framing.length;
  if (framing.kind == BodyFraming::Kind::chunked) trailers_ = std::make_unique<HeaderList>();
}

Result<std::string_view> BodyReader::decode() {
  runtime::Buffer& from = own_ ? own_ : received_;
  while (!ended() && !from.filled().empty()) {
    const BodyEvent event = trailers_ == nullptr ? decoder_.decode_plain(from.filled())
                                                 : decoder_.decode(from.filled(), *trailers_);
    from.consume_in_place(event.consumed);
    switch (event.kind) {
      case BodyEvent::Kind::data: bytes_ += event.data.size(); return event.data;
      case BodyEvent::Kind::violation:
        return fail(Error::Code::protocol, std::string(event.text), blame_);
      case BodyEvent::Kind::end:
      case BodyEvent::Kind::need_more: return std::string_view{};
    }
  }
  return std::string_view{};
}

Result<std::string_view> BodyReader::next_arrived() { return decode(); }

// A second buffer, for the head's views point into the first. A large one saves system calls where
// the body is known to be long or turns out to be.
Result<void> BodyReader::make_room() {
  constexpr size_t small = runtime::bytes_in(BufferSize::small);
  if (!own_) {
    const bool is_long = length_ >= bytes_ + small;
    own_ = socket_.loop().buffers().borrow(is_long ? BufferSize::large : BufferSize::small);
    const std::string_view rest = received_.filled();  // At most part of a chunk's size line.
    std::copy(rest.begin(), rest.end(), own_.space().begin());
    own_.add(rest.size());
    received_.consume_in_place(rest.size());
    return {};
  }
  own_.compact();
  if (own_.filled().empty() && bytes_ >= small && own_.capacity() == small) {
    own_ = socket_.loop().buffers().borrow(BufferSize::large);
  }
  if (own_.space().empty()) return fail(Error::Code::limit_exceeded, "chunk framing too long");
  return {};
}

runtime::Task<Result<std::string_view>> BodyReader::next(Deadline deadline) {
  while (true) {
    CO_TRY(piece, decode());
    if (!piece.empty() || ended()) co_return piece;

    CO_TRY_VOID(make_room());
    auto count = co_await socket_.read(own_.space(), deadline);
    if (!count) {
      Error error = std::move(count).error();
      error.blame = blame_;
      co_return fail(std::move(error));
    }
    if (*count == 0) {
      if (decoder_.close().kind == BodyEvent::Kind::end) co_return std::string_view{};
      co_return fail(Error::Code::connection_closed, "the body ended before its announced end",
                     blame_);
    }
    own_.add(*count);
  }
}

void BodyReader::give_rest_to(runtime::Buffer& received) {
  if (own_) received = std::move(own_);
  received.compact();
  if (received.filled().empty()) received.release();
}

}  // namespace spillway::http
