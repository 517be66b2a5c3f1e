// http/scan.h: finds the bytes that matter in protocol text, 16 at a time where the machine can.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/ascii.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace spillway::http {

using ByteSet = std::array<bool, 256>;

constexpr ByteSet make_byte_set(std::string_view extra, bool with_letters_and_digits) {
  ByteSet set{};
  for (const char c : extra) set[static_cast<uint8_t>(c)] = true;
  for (size_t i = 0; with_letters_and_digits && i < 128; ++i) {
    const char c = static_cast<char>(i);
    if (is_digit(c) || is_alpha(c)) set[i] = true;
  }
  return set;
}

// RFC 9110 section 5.6.2.
inline constexpr ByteSet token_bytes = make_byte_set("!#$%&'*+-.^_`|~", true);
// RFC 3986 section 2.3.
inline constexpr ByteSet unreserved_bytes = make_byte_set("-._~", true);
// What may stand in a request target: all visible ASCII but '#', which RFC 9112 section 3.2 leaves
// no place for. Wider than RFC 3986: browsers send '|', '{' and the like unescaped.
inline constexpr ByteSet target_bytes = make_byte_set("!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true);

constexpr bool contains(const ByteSet& set, char c) { return set[static_cast<uint8_t>(c)]; }

constexpr bool all_in(const ByteSet& set, std::string_view text) {
  for (const char c : text) {
    if (!contains(set, c)) return false;
  }
  return true;
}
constexpr bool is_token(std::string_view text) {
  return !text.empty() && all_in(token_bytes, text);
}

// A control other than horizontal tab: never inside a line of a head.
constexpr bool is_control(char c) {
  const auto byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

// The first control other than tab in [p, end), or `end`. Reads no byte outside.
inline const char* find_control(const char* p, const char* end) {
#ifdef __SSE2__
  const __m128i highest = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - p >= 16; p += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, highest), bytes);
    const __m128i bad =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(bytes, tab), low), _mm_cmpeq_epi8(bytes, del));
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(bad));
    if (mask != 0) return p + std::countr_zero(mask);
  }
#endif
  while (p != end && !is_control(*p)) ++p;
  return p;
}

}  // namespace spillway::http
