// identity/ecdsa_signature.h: a signature of two numbers, from JOSE's form to OpenSSL's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::identity {

// JOSE writes r and s in full length one after the other (RFC 7518 section 3.4), X.509 as a DER
// sequence of two integers (RFC 3279 section 2.2.3). Holds the latter.
class EcdsaSignature {
 public:
  // REQUIRES: of even length, at most as long as for P-521. The view lives as long as this object.
  std::string_view encode(std::string_view r_and_s);

 private:
  void number(std::string_view digits);
  void byte(size_t value) { bytes_[size_++] = static_cast<char>(value); }

  static constexpr size_t number_bytes_max = 66;  // P-521.
  // Each number has a tag, a length and perhaps a zero; the sequence a tag and two bytes of length.
  std::array<char, 2 * (number_bytes_max + 3) + 3> bytes_;
  size_t size_ = 0;
};

}  // namespace spillway::identity
