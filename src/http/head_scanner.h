// http/head_scanner.h: finds where a message head ends while its bytes are still arriving.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/field.h"

namespace spillway::http {

// What a head may cost us. Beyond: 414 for the request line, 431 for the rest, 502 for a response.
struct HeadLimits {
  size_t head_bytes_max = 32 << 10;  // Request or status line, fields and the empty line.
  size_t url_bytes_max = 8 << 10;    // The request target; RFC 9112 section 3 asks for 8,000.
  size_t fields_max = 100;           // Field lines; at most HeaderList::fields_max.
};

// What became of a head. `text` is a literal that says what was found; `status` is what a server
// answers (400, 414, 417, 431, 501, 505), or 502 if it was an upstream's head.
struct [[nodiscard]] HeadResult {
  enum class Kind : uint8_t {
    need_more,  // Fine so far: call again with more bytes after these.
    complete,   // `consumed` bytes were the head; the body or the next message starts there.
    violation,  // Answer `status` and close: what follows cannot be told from another message.
  };
  Kind kind = Kind::need_more;
  size_t consumed = 0;
  uint16_t status = 0;
  std::string_view text;

  static HeadResult complete(size_t consumed) {
    return {.kind = Kind::complete, .consumed = consumed};
  }
  static HeadResult violation(uint16_t status, std::string_view text) {
    return {.kind = Kind::violation, .status = status, .text = text};
  }
};

// Looks at each byte once, however many pieces they come in. What it lets pass has CRLF as its only
// line end and holds no control but tab, so the parsers after it need not look again. One core.
class HeadScanner {
 public:
  // Clients that end a body with a stray CRLF are forgiven so often (RFC 9112 section 2.2).
  static constexpr size_t empty_lines_max = 4;

  enum class Of : uint8_t { request, response };
  explicit HeadScanner(Of of) : of_(of) {}

  // `received` is all bytes since the end of the last message: those of the last call, perhaps
  // moved, and more. At `complete`, the head is [start(), consumed).
  HeadResult scan(std::string_view received, const HeadLimits& limits);
  // The number of bytes of empty lines before the head.
  size_t start() const { return start_; }
  // Before the next head.
  void reset() { *this = HeadScanner(of_); }

 private:
  HeadResult refuse(uint16_t status, std::string_view text) const {
    return HeadResult::violation(of_ == Of::request ? status : uint16_t{502}, text);
  }
  HeadResult check_size(size_t received, const HeadLimits& limits) const;
  bool is_first_line_too_long(size_t received, const HeadLimits& limits) const;
  HeadResult too_long() const;

  Of of_;
  size_t position_ = 0;    // Everything before it has been looked at.
  size_t line_start_ = 0;  // Of the line that position_ is in.
  size_t start_ = 0;
};

}  // namespace spillway::http
