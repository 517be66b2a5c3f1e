// http/body_decoder.h: the bytes of a body, one piece after the other, out of its HTTP/1 framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/message.h"

namespace spillway::http {

// What the framing around a chunked body may cost.
struct BodyLimits {
  // Of a whole body: nobody uses extensions but to waste a reader's time.
  size_t extension_bytes_max = 4 << 10;
  // The trailer section must fit into the caller's receive buffer in one piece.
  size_t trailer_bytes_max = 4 << 10;
  size_t trailer_fields_max = 32;
};

struct [[nodiscard]] BodyEvent {
  enum class Kind : uint8_t {
    need_more,  // Nothing to hand on yet.
    data,       // `data` is the next piece, never empty.
    end,        // The body is over; what follows is the next message.
    violation,  // `text` says why. The connection cannot be used again.
  };
  Kind kind = Kind::need_more;
  std::string_view data;  // Points into the bytes given.
  size_t consumed = 0;    // So many of the bytes given are done with, `data` among them.
  std::string_view text;
};

// Decodes one body (RFC 9112 sections 6 and 7). Buffers nothing: the caller drops `consumed` bytes
// and comes back with the rest and what arrived since. Owned by a connection, one core. How large
// a body may be is the caller's limit.
class BodyDecoder {
 public:
  BodyDecoder() = default;  // A body that is over.
  explicit BodyDecoder(const BodyFraming& framing, const BodyLimits& limits = {});

  // The next event. At `end` of a chunked body, `trailers` has the trailer fields whose names this
  // program does not act on (RFC 9110 section 6.5.1 forbids those that frame, route or authorise;
  // they are dropped, ETag is kept); they point into `received`.
  BodyEvent decode(std::string_view received, HeaderList& trailers);
  // The same for a body that is not chunked, and so has no trailers.
  BodyEvent decode_plain(std::string_view received);
  // The peer closed: `end` if that is how this body ends, else a violation: it was cut off.
  BodyEvent close();

  bool is_done() const { return state_ == State::done; }
  // For length framing: what is still to come.
  uint64_t left() const { return left_; }

 private:
  enum class State : uint8_t {
    length,
    until_close,
    chunk_size,  // Before or in the hexadecimal digits.
    extension,
    size_line_feed,
    chunk_data,
    data_return,
    data_line_feed,
    trailers,
    done,
  };

  BodyEvent decode_chunked(std::string_view received, HeaderList& trailers);
  // One byte of framing. Not empty: why it is refused.
  std::string_view take(char c);
  std::string_view take_size_digit(char c);
  BodyEvent decode_trailers(std::string_view received, size_t consumed, HeaderList& trailers);
  BodyEvent take_data(std::string_view received, size_t start);

  State state_ = State::done;
  uint8_t digits_ = 0;  // Of the current chunk size.
  uint64_t left_ = 0;   // Of the body, or of the current chunk.
  size_t extension_bytes_ = 0;
  BodyLimits limits_;
};

}  // namespace spillway::http
