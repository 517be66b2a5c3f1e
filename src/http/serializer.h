// http/serializer.h: writes HTTP/1 heads, chunk frames and trailers into a buffer of the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "base/time.h"
#include "http/http_date.h"
#include "http/message.h"

namespace spillway::http {

// Writes into `buffer` and never past it: what does not fit sets overflowed(), and nothing after
// that is written, so one check at the end is enough. Owns nothing, allocates nothing. One core.
// Writes what it is told: names, values and targets come from a parser or from our own literals,
// and text from elsewhere (a plan, a rewrite) is checked with is_token and is_field_value first.
class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> buffer) : buffer_(buffer) {}

  // "GET /path HTTP/1.1". `target` in two parts, so that a normalised path and a query as received
  // need not be joined first.
  void request_line(std::string_view method, std::string_view path, std::string_view query,
                    bool has_query);
  // "HTTP/1.1 200 OK"; RFC 9112 section 2.3: always our own version.
  void status_line(uint16_t status, std::string_view reason);
  void status_line(uint16_t status) { status_line(status, reason_of(status)); }
  void field(std::string_view name, std::string_view value);
  void field(const HeaderField& field) { this->field(field.name, field.value); }
  void field(std::string_view name, uint64_t value);
  void fields(const HeaderList& fields) {
    for (const HeaderField& line : fields) field(line);
  }
  // Content-Length or Transfer-Encoding; nothing for none and until_close.
  void framing(const BodyFraming& framing);
  void end_of_head() { put("\r\n"); }

  void text(std::string_view text) { put(text); }
  void decimal(uint64_t value);

  bool overflowed() const { return overflowed_; }
  size_t size() const { return size_; }
  std::string_view written() const { return {buffer_.data(), size_}; }

 private:
  void put(std::string_view text) {
    char* const to = reserve(text.size());
    if (to != nullptr && !text.empty()) std::memcpy(to, text.data(), text.size());
  }
  char* reserve(size_t size) {
    if (overflowed_ || size > buffer_.size() - size_) {
      overflowed_ = true;
      return nullptr;
    }
    char* const to = buffer_.data() + size_;
    size_ += size;
    return to;
  }

  std::span<char> buffer_;
  size_t size_ = 0;
  bool overflowed_ = false;
};

// No control but tab, no white space at the ends: may stand after a field's colon.
bool is_field_value(std::string_view text);

// The line before a chunk's data: "1f4\r\n". The data is followed by chunk_end.
inline constexpr size_t chunk_size_line_max = 18;  // 16 hexadecimal digits and CRLF.
inline constexpr std::string_view chunk_end = "\r\n";
// Without trailers, the end of a chunked body.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";
// Returns the length. CHECKs that `size` is not 0, which would end the body.
size_t write_chunk_size(uint64_t size, std::span<char, chunk_size_line_max> buffer);
// The last chunk with trailer fields (RFC 9112 section 7.1.2).
void write_last_chunk(HeadWriter& writer, const HeaderList& trailers);

// The Date field's value (RFC 9110 section 5.6.7), kept for a second at a time: a core owns one,
// and its loop hands in the wall time before each batch of work.
class DateField {
 public:
  DateField() { update(WallTime{}); }
  // Formats again only if the second changed.
  void update(WallTime now);
  std::string_view value() const { return {text_, http_date_size}; }

 private:
  int64_t second_ = INT64_MIN;
  char text_[http_date_size];
};

}  // namespace spillway::http
