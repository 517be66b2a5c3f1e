// base/json_text.cc: escapes JSON strings, eight clean bytes at a time.
#include "base/json_text.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"

namespace spillway {
namespace {

constexpr uint64_t ones = 0x0101010101010101;
constexpr uint64_t tops = 0x8080808080808080;

constexpr uint64_t zero_bytes(uint64_t word) { return (word - ones) & ~word & tops; }

// True if none of the eight bytes needs a look: all are printable ASCII but `"` and `\`.
constexpr bool is_clean(uint64_t word) {
  const uint64_t control = (word - ones * 0x20) & ~word & tops;
  const uint64_t del = zero_bytes(word ^ (ones * 0x7f));
  const uint64_t quote = zero_bytes(word ^ (ones * '"'));
  const uint64_t backslash = zero_bytes(word ^ (ones * '\\'));
  return ((word & tops) | control | del | quote | backslash) == 0;
}

constexpr bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

struct Escape {
  char text[6];
  size_t size;
};

Escape unicode_escape(unsigned char c) {
  return {{'\\', 'u', '0', '0', hex_digits[c >> 4], hex_digits[c & 15]}, 6};
}

Escape escape_ascii(unsigned char c) {
  switch (c) {
    case '"': return {{'\\', '"'}, 2};
    case '\\': return {{'\\', '\\'}, 2};
    case '\n': return {{'\\', 'n'}, 2};
    case '\r': return {{'\\', 'r'}, 2};
    case '\t': return {{'\\', 't'}, 2};
    default: return unicode_escape(c);
  }
}

// The character at the start of `text`, which is not plain: how long it is and how to write it.
size_t escape_next(std::string_view text, Escape& escape) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) {
    escape = escape_ascii(first);
    return 1;
  }
  const size_t length = utf8_sequence_length(text);
  if (length == 0) {
    escape = {{'\\', 'u', 'f', 'f', 'f', 'd'}, 6};
    return 1;
  }
  if (first == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
    escape = unicode_escape(static_cast<unsigned char>(text[1]));
    return 2;
  }
  std::copy_n(text.data(), length, escape.text);
  escape.size = length;
  return length;
}

}  // namespace

size_t utf8_sequence_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  if (first == 0xe0 && second < 0xa0) return 0;  // Overlong.
  if (first == 0xed && second > 0x9f) return 0;  // Surrogates.
  if (first == 0xf0 && second < 0x90) return 0;  // Overlong.
  if (first == 0xf4 && second > 0x8f) return 0;  // Above U+10FFFF.
  return length;
}

JsonEscaped escape_json(std::string_view text, std::span<char> out) {
  size_t read = 0;
  size_t written = 0;
  while (read < text.size()) {
    uint64_t word = 0;
    while (text.size() - read >= sizeof word && out.size() - written >= sizeof word) {
      std::memcpy(&word, text.data() + read, sizeof word);
      if (!is_clean(word)) break;
      std::memcpy(out.data() + written, &word, sizeof word);
      read += sizeof word;
      written += sizeof word;
    }
    if (read == text.size() || written == out.size()) break;
    if (is_plain(static_cast<unsigned char>(text[read]))) {
      out[written++] = text[read++];
      continue;
    }
    Escape escape{};
    const size_t length = escape_next(text.substr(read), escape);
    if (out.size() - written < escape.size) break;
    std::copy_n(escape.text, escape.size, out.data() + written);
    read += length;
    written += escape.size;
  }
  return {read, written};
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  char chunk[512];
  while (!text.empty()) {
    const JsonEscaped done = escape_json(text, chunk);
    out.append(chunk, done.written);
    text.remove_prefix(done.read);
  }
  out += '"';
}

}  // namespace spillway
