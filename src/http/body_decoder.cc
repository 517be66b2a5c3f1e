// http/body_decoder.cc: a byte-wise state machine for the framing, whole pieces for the data.
#include "http/body_decoder.h"

#include <algorithm>

#include "base/check.h"
#include "http/head_fields.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

constexpr uint64_t chunk_bytes_max = INT64_MAX;  // So that sums of sizes do not overflow.
constexpr uint8_t size_digits_max = 16;          // Leading zeros are no reason for more.

BodyEvent need_more(size_t consumed) { return {.consumed = consumed}; }
BodyEvent end_of_body(size_t consumed) {
  return {.kind = BodyEvent::Kind::end, .consumed = consumed};
}
BodyEvent violation(std::string_view text) {
  return {.kind = BodyEvent::Kind::violation, .text = text};
}

// The size of the trailer section with its empty line, 0 if its end is not there yet.
size_t find_trailer_end(std::string_view section) {
  if (section.starts_with("\r\n")) return 2;
  const size_t end = section.find("\r\n\r\n");
  return end == std::string_view::npos ? 0 : end + 4;
}

// The line ends are CRLF and there is no other control, as a HeadScanner would have it.
bool has_strict_lines(std::string_view section) {
  const char* const end = section.data() + section.size();
  for (const char* p = section.data();; p += 2) {
    p = find_control(p, end);
    if (p == end) return true;
    if (*p != '\r' || p + 1 == end || p[1] != '\n') return false;
  }
}

}  // namespace

BodyDecoder::BodyDecoder(const BodyFraming& framing, const BodyLimits& limits) : limits_(limits) {
  switch (framing.kind) {
    case BodyFraming::Kind::none: break;
    case BodyFraming::Kind::length:
      left_ = framing.length;
      state_ = left_ == 0 ? State::done : State::length;
      break;
    case BodyFraming::Kind::chunked: state_ = State::chunk_size; break;
    case BodyFraming::Kind::until_close: state_ = State::until_close; break;
  }
}

BodyEvent BodyDecoder::decode(std::string_view received, HeaderList& trailers) {
  const bool is_plain =
      state_ == State::done || state_ == State::length || state_ == State::until_close;
  return is_plain ? decode_plain(received) : decode_chunked(received, trailers);
}

BodyEvent BodyDecoder::decode_plain(std::string_view received) {
  switch (state_) {
    case State::done: return end_of_body(0);
    case State::length: {
      const BodyEvent event = take_data(received, 0);
      if (left_ == 0) state_ = State::done;
      return event;
    }
    case State::until_close:
      if (received.empty()) return need_more(0);
      return {.kind = BodyEvent::Kind::data, .data = received, .consumed = received.size()};
    default: CHECK(false); return {};  // The caller knows the framing.
  }
}

BodyEvent BodyDecoder::close() {
  if (state_ == State::until_close) state_ = State::done;
  if (state_ == State::done) return end_of_body(0);
  return violation("the body was cut off");
}

BodyEvent BodyDecoder::take_data(std::string_view received, size_t start) {
  const size_t size = std::min<uint64_t>(left_, received.size() - start);
  if (size == 0) return need_more(start);
  left_ -= size;
  return {.kind = BodyEvent::Kind::data,
          .data = received.substr(start, size),
          .consumed = start + size};
}

BodyEvent BodyDecoder::decode_chunked(std::string_view received, HeaderList& trailers) {
  size_t position = 0;
  while (true) {
    if (state_ == State::chunk_data) {
      const BodyEvent event = take_data(received, position);
      if (left_ == 0) state_ = State::data_return;
      return event;
    }
    if (state_ == State::trailers) return decode_trailers(received, position, trailers);
    if (position == received.size()) return need_more(position);
    if (const std::string_view trouble = take(received[position]); !trouble.empty()) {
      return violation(trouble);
    }
    ++position;
  }
}

std::string_view BodyDecoder::take(char c) {
  switch (state_) {
    case State::chunk_size: return take_size_digit(c);
    case State::extension:
      if (c == '\r') {
        state_ = State::size_line_feed;
        return {};
      }
      if (is_control(c)) return "control character in a chunk extension";
      if (++extension_bytes_ > limits_.extension_bytes_max) return "chunk extensions too long";
      return {};
    case State::size_line_feed:
      if (c != '\n') return "carriage return without line feed after a chunk size";
      state_ = left_ == 0 ? State::trailers : State::chunk_data;
      digits_ = 0;
      return {};
    case State::data_return:
      if (c != '\r') return "chunk is longer than its size";
      state_ = State::data_line_feed;
      return {};
    case State::data_line_feed:
      if (c != '\n') return "carriage return without line feed after a chunk";
      state_ = State::chunk_size;
      return {};
    default: return "internal state";  // Handled by the callers.
  }
}

// RFC 9112 section 7.1. White space after the size, which the grammar bars and some parsers
// forgive, is refused.
std::string_view BodyDecoder::take_size_digit(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    if (++digits_ > size_digits_max || left_ > chunk_bytes_max >> 4) return "chunk size too large";
    left_ = left_ << 4 | static_cast<uint64_t>(digit);
    return {};
  }
  if (digits_ == 0) return "chunk without a size";
  if (c == '\r') {
    state_ = State::size_line_feed;
  } else if (c == ';') {
    state_ = State::extension;
    if (++extension_bytes_ > limits_.extension_bytes_max) return "chunk extensions too long";
  } else {
    return "invalid character in a chunk size";
  }
  return {};
}

BodyEvent BodyDecoder::decode_trailers(std::string_view received, size_t consumed,
                                       HeaderList& trailers) {
  const std::string_view section = received.substr(consumed);
  const size_t size = find_trailer_end(section);
  const size_t seen = size == 0 ? section.size() : size;
  if (seen > limits_.trailer_bytes_max) return violation("trailers too long");
  if (size == 0) {
    // A last CR is not judged before its LF is here.
    const size_t judged = section.size() - (section.ends_with('\r') ? 1 : 0);
    return has_strict_lines(section.substr(0, judged)) ? need_more(consumed)
                                                       : violation("malformed trailers");
  }
  trailers.clear();
  if (!has_strict_lines(section.substr(0, size))) return violation("malformed trailers");
  if (const auto trouble =
          parse_field_lines(section.substr(0, size), limits_.trailer_fields_max, trailers)) {
    return violation(trouble->text);
  }
  trailers.remove_if([](const HeaderField& field) { return !may_be_trailer(field.id); });
  state_ = State::done;
  return end_of_body(consumed + size);
}

}  // namespace spillway::http
