// identity/ecdsa_signature.cc: writes DER (X.690 sections 8.1.3, 8.3 and 10.1).
#include "identity/ecdsa_signature.h"

#include <algorithm>

#include "base/check.h"

namespace spillway::identity {
namespace {

constexpr size_t integer_tag = 0x02;
constexpr size_t sequence_tag = 0x30;
constexpr size_t one_byte_of_length = 0x81;

// Without the zeros in front, but for one digit.
std::string_view significant(std::string_view digits) {
  const size_t first = digits.find_first_not_of('\0');
  return digits.substr(std::min(first, digits.size() - 1));
}

bool has_high_bit(std::string_view digits) {
  return (static_cast<uint8_t>(digits.front()) & 0x80U) != 0;
}

// Of the number's content: a high bit needs a zero before it, or it would be the sign.
size_t content_bytes(std::string_view digits) {
  return digits.size() + (has_high_bit(digits) ? 1 : 0);
}

}  // namespace

void EcdsaSignature::number(std::string_view digits) {
  byte(integer_tag);
  byte(content_bytes(digits));
  if (has_high_bit(digits)) byte(0);
  std::ranges::copy(digits, bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += digits.size();
}

std::string_view EcdsaSignature::encode(std::string_view r_and_s) {
  CHECK(!r_and_s.empty() && r_and_s.size() % 2 == 0 && r_and_s.size() <= 2 * number_bytes_max);
  const std::string_view r = significant(r_and_s.substr(0, r_and_s.size() / 2));
  const std::string_view s = significant(r_and_s.substr(r_and_s.size() / 2));
  const size_t content = content_bytes(r) + content_bytes(s) + 4;
  size_ = 0;
  byte(sequence_tag);
  if (content >= 0x80) byte(one_byte_of_length);
  byte(content);
  number(r);
  number(s);
  return {bytes_.data(), size_};
}

}  // namespace spillway::identity
