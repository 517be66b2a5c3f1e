// identity/json_scanner.cc: the grammar of RFC 8259, and nothing more.
#include "identity/json_scanner.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"
#include "base/check.h"
#include "base/json_text.h"

namespace spillway::identity {
namespace {

// What ends a run of a string's plain characters: the quote, an escape, or a control, which must
// be escaped (RFC 8259 section 7).
constexpr std::array<bool, 256> make_string_stops() {
  std::array<bool, 256> stops{};
  for (size_t c = 0; c < 0x20; ++c) stops[c] = true;
  stops['"'] = true;
  stops['\\'] = true;
  return stops;
}
constexpr auto string_stops = make_string_stops();

bool stops_string(char c) { return string_stops[static_cast<uint8_t>(c)]; }

size_t write_utf8(uint32_t c, char* to) {
  if (c < 0x80) {
    to[0] = static_cast<char>(c);
    return 1;
  }
  const size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; --i, c >>= 6) to[i] = static_cast<char>(0x80 | (c & 0x3f));
  constexpr std::array<uint32_t, 5> lead = {0, 0, 0xc0, 0xe0, 0xf0};
  to[0] = static_cast<char>(lead[size] | c);
  return size;
}

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr uint64_t high_bits = 0x8080808080808080;
  while (!text.empty()) {
    uint64_t word = 0;
    if (text.size() >= sizeof word) {
      std::memcpy(&word, text.data(), sizeof word);
      if ((word & high_bits) == 0) {
        text.remove_prefix(sizeof word);
        continue;
      }
    }
    const size_t size = utf8_sequence_length(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

void JsonScanner::skip_space() {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

bool JsonScanner::take(char c) {
  skip_space();
  if (at_ == end_ || *at_ != c) return false;
  ++at_;
  return true;
}

bool JsonScanner::at_end() {
  skip_space();
  return at_ == end_;
}

std::optional<std::string_view> JsonScanner::string(JsonSpace& space) {
  if (!take('"')) return std::nullopt;
  const char* begin = at_;
  while (at_ != end_ && !stops_string(*at_)) ++at_;
  if (at_ == end_) return std::nullopt;
  if (*at_ == '"') return std::string_view(begin, at_++);
  if (*at_ == '\\') return unescaped(begin, space);
  return std::nullopt;
}

// From the first escape on, a string is written to `space`, which has room for what it comes to.
std::optional<std::string_view> JsonScanner::unescaped(const char* begin, JsonSpace& space) {
  size_t size = static_cast<size_t>(at_ - begin);
  CHECK(size <= space.size());
  std::memcpy(space.data(), begin, size);
  while (at_ != end_) {
    const char c = *at_;
    if (c == '\\') {
      ++at_;
      if (!escape(space, size)) return std::nullopt;
      continue;
    }
    if (c == '"') {
      ++at_;
      const std::string_view result(space.data(), size);
      space = space.subspan(size);
      return result;
    }
    if (stops_string(c)) return std::nullopt;
    CHECK(size < space.size());
    space[size++] = c;
    ++at_;
  }
  return std::nullopt;
}

bool JsonScanner::escape(JsonSpace& space, size_t& size) {
  if (at_ == end_) return false;
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const char letter = *at_++;
  if (letter == 'u') return code_point(space, size);
  const size_t which = letters.find(letter);
  if (which == std::string_view::npos) return false;
  CHECK(size < space.size());
  space[size++] = meanings[which];
  return true;
}

bool JsonScanner::code_point(JsonSpace& space, size_t& size) {
  auto c = four_hex_digits();
  if (!c || (*c >= 0xdc00 && *c < 0xe000)) return false;  // A second half without its first.
  if (*c >= 0xd800 && *c < 0xdc00) {
    if (end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') return false;
    at_ += 2;
    const auto low = four_hex_digits();
    if (!low || *low < 0xdc00 || *low >= 0xe000) return false;
    c = 0x10000 + ((*c - 0xd800) << 10) + (*low - 0xdc00);
  }
  std::array<char, 4> bytes;
  const size_t count = write_utf8(*c, bytes.data());
  CHECK(size + count <= space.size());
  std::memcpy(space.data() + size, bytes.data(), count);
  size += count;
  return true;
}

std::optional<uint32_t> JsonScanner::four_hex_digits() {
  if (end_ - at_ < 4) return std::nullopt;
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = hex_value(*at_++);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return value;
}

std::optional<JsonValue> JsonScanner::value(JsonSpace& space, size_t depth) {
  skip_space();
  if (at_ == end_) return std::nullopt;
  using Kind = JsonValue::Kind;
  const char first = *at_;
  if (first == '"') {
    const auto content = string(space);
    if (!content) return std::nullopt;
    return JsonValue{Kind::string, *content};
  }
  const char* begin = at_;
  if (!skip_value(depth)) return std::nullopt;
  Kind kind = Kind::number;
  if (first == '{') kind = Kind::object;
  if (first == '[') kind = Kind::array;
  if (first == 't' || first == 'f') kind = Kind::boolean;
  if (first == 'n') kind = Kind::null;
  return JsonValue{kind, std::string_view(begin, at_)};
}

bool JsonScanner::skip_value(size_t depth) {
  skip_space();
  if (at_ == end_) return false;
  switch (*at_) {
    case '"': return skip_string();
    case '[': return skip_array(depth);
    case '{': return skip_object(depth);
    case 't': return skip_literal("true");
    case 'f': return skip_literal("false");
    case 'n': return skip_literal("null");
    default: return skip_number();
  }
}

// Checked as string() would, without writing anything.
bool JsonScanner::skip_string() {
  std::array<char, 4> unused;
  if (!take('"')) return false;
  while (at_ != end_) {
    const char c = *at_++;
    if (c == '"') return true;
    if (c == '\\') {
      JsonSpace space(unused);
      size_t size = 0;
      if (!escape(space, size)) return false;
    } else if (stops_string(c)) {
      return false;
    }
  }
  return false;
}

// RFC 8259 section 6: no leading zero, plus sign or bare point.
bool JsonScanner::skip_number() {
  if (*at_ == '-') ++at_;
  if (at_ == end_) return false;
  if (*at_ == '0') {
    ++at_;
  } else if (!skip_digits()) {
    return false;
  }
  if (at_ != end_ && *at_ == '.') {
    ++at_;
    if (!skip_digits()) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    ++at_;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
    if (!skip_digits()) return false;
  }
  return true;
}

bool JsonScanner::skip_digits() {
  const char* begin = at_;
  while (at_ != end_ && is_digit(*at_)) ++at_;
  return at_ != begin;
}

bool JsonScanner::skip_literal(std::string_view literal) {
  if (!std::string_view(at_, end_).starts_with(literal)) return false;
  at_ += literal.size();
  return true;
}

bool JsonScanner::skip_array(size_t depth) {
  if (depth == 0 || !take('[')) return false;
  if (take(']')) return true;
  do {
    if (!skip_value(depth - 1)) return false;
  } while (take(','));
  return take(']');
}

bool JsonScanner::skip_object(size_t depth) {
  if (depth == 0 || !take('{')) return false;
  if (take('}')) return true;
  do {
    skip_space();
    if (!skip_string() || !take(':') || !skip_value(depth - 1)) return false;
  } while (take(','));
  return take('}');
}

}  // namespace spillway::identity
