// identity/algorithm.h: the names of signatures (RFC 7518 section 3.1, RFC 8037, RFC 9864).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace spillway::identity {

enum class Algorithm : uint8_t {
  hs256,
  hs384,
  hs512,
  rs256,
  rs384,
  rs512,
  ps256,
  ps384,
  ps512,
  es256,
  es384,
  es512,
  ed25519,
  ed448,
};
inline constexpr size_t algorithms_count = 14;

std::string_view to_string(Algorithm algorithm);  // As `alg` has it: "HS256", "Ed25519".

// Immutable value.
class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> algorithms) {
    for (const Algorithm algorithm : algorithms) bits_ |= bit(algorithm);
  }

  constexpr bool is_empty() const { return bits_ == 0; }
  constexpr bool has(Algorithm algorithm) const { return (bits_ & bit(algorithm)) != 0; }
  constexpr AlgorithmSet operator&(AlgorithmSet other) const {
    AlgorithmSet both;
    both.bits_ = bits_ & other.bits_;
    return both;
  }
  constexpr AlgorithmSet operator|(AlgorithmSet other) const {
    AlgorithmSet all;
    all.bits_ = bits_ | other.bits_;
    return all;
  }
  // REQUIRES: !is_empty().
  constexpr Algorithm first() const { return static_cast<Algorithm>(std::countr_zero(bits_)); }
  constexpr bool operator==(const AlgorithmSet&) const = default;

 private:
  static constexpr uint32_t bit(Algorithm algorithm) {
    return 1U << static_cast<uint32_t>(algorithm);
  }
  uint32_t bits_ = 0;
};

// What the name in `alg` may mean: one algorithm, or either curve for "EdDSA". Empty for all else,
// "none" among it. Case counts (RFC 7515 section 4.1.1).
AlgorithmSet algorithms_named(std::string_view name);

// Of each family, by the key that makes them.
inline constexpr AlgorithmSet hmac_algorithms = {Algorithm::hs256, Algorithm::hs384,
                                                 Algorithm::hs512};
inline constexpr AlgorithmSet pss_algorithms = {Algorithm::ps256, Algorithm::ps384,
                                                Algorithm::ps512};
inline constexpr AlgorithmSet rsa_algorithms = {Algorithm::rs256, Algorithm::rs384,
                                                Algorithm::rs512, Algorithm::ps256,
                                                Algorithm::ps384, Algorithm::ps512};

}  // namespace spillway::identity
