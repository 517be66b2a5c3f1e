// identity/base64.cc: four characters to three bytes, by table.
#include "identity/base64.h"

#include <array>

#include "base/check.h"

namespace spillway::identity {
namespace {

constexpr uint8_t not_a_digit = 0xff;
using Table = std::array<uint8_t, 256>;

constexpr Table make_table(char digit_62, char digit_63) {
  Table table;
  table.fill(not_a_digit);
  uint8_t value = 0;
  for (char c = 'A'; c <= 'Z'; ++c) table[static_cast<uint8_t>(c)] = value++;
  for (char c = 'a'; c <= 'z'; ++c) table[static_cast<uint8_t>(c)] = value++;
  for (char c = '0'; c <= '9'; ++c) table[static_cast<uint8_t>(c)] = value++;
  table[static_cast<uint8_t>(digit_62)] = value++;
  table[static_cast<uint8_t>(digit_63)] = value;
  return table;
}

constexpr Table url_table = make_table('-', '_');
constexpr Table plain_table = make_table('+', '/');

// The last two or three characters: one or two bytes, and bits that must be zero.
std::optional<size_t> decode_rest(std::string_view rest, const Table& table, char* out) {
  uint32_t bits = 0;
  uint8_t seen = 0;
  for (const char c : rest) {
    const uint8_t digit = table[static_cast<uint8_t>(c)];
    seen |= digit;
    bits = bits << 6 | (digit & 63U);
  }
  const size_t bytes = rest.size() - 1;
  const uint32_t spare = rest.size() == 2 ? 4 : 2;
  if ((seen & 0xc0U) != 0 || (bits & ((1U << spare) - 1)) != 0) return std::nullopt;
  bits >>= spare;
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(bits >> (8 * (bytes - 1 - i)));
  return bytes;
}

std::optional<size_t> decode(std::string_view text, const Table& table, std::span<char> out) {
  CHECK(out.size() >= base64_bytes(text.size()));
  const auto* from = reinterpret_cast<const uint8_t*>(text.data());
  char* to = out.data();
  uint32_t seen = 0;  // Has a high bit once a character was no digit.
  for (size_t quads = text.size() / 4; quads > 0; --quads, from += 4, to += 3) {
    const uint32_t a = table[from[0]];
    const uint32_t b = table[from[1]];
    const uint32_t c = table[from[2]];
    const uint32_t d = table[from[3]];
    seen |= a | b | c | d;
    const uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    to[0] = static_cast<char>(bits >> 16);
    to[1] = static_cast<char>(bits >> 8);
    to[2] = static_cast<char>(bits);
  }
  if ((seen & 0xc0U) != 0) return std::nullopt;
  const size_t whole = text.size() / 4 * 3;
  const std::string_view rest = text.substr(text.size() / 4 * 4);
  if (rest.empty()) return whole;
  if (rest.size() == 1) return std::nullopt;
  const auto last = decode_rest(rest, table, to);
  return last ? std::optional(whole + *last) : std::nullopt;
}

}  // namespace

std::optional<size_t> decode_base64url(std::string_view text, std::span<char> out) {
  return decode(text, url_table, out);
}

std::optional<size_t> decode_base64(std::string_view text, std::span<char> out) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 3 && text.ends_with('=')) text.remove_suffix(1);
  return decode(text, plain_table, out);
}

}  // namespace spillway::identity
