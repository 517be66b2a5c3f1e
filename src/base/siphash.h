// base/siphash.h: a keyed hash that nobody without the key can aim at (Aumasson, Bernstein, 2012).
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace spillway {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  auto operator<=>(const Hash128&) const = default;
};

// SipHash-2-4 with 128 bits of output: for tables whose keys clients choose. With a secret random
// key, two different texts share a hash once in 2^128.
class SipHash {
 public:
  using Key = std::array<uint64_t, 2>;

  static Hash128 of(std::string_view text, const Key& key) {
    SipHash state(key);
    const size_t whole = text.size() / 8 * 8;
    for (size_t i = 0; i < whole; i += 8) {
      uint64_t word = 0;
      std::memcpy(&word, text.data() + i, 8);
      state.absorb(word);
    }
    uint64_t last = static_cast<uint64_t>(text.size()) << 56;
    if (text.size() > whole) std::memcpy(&last, text.data() + whole, text.size() - whole);
    state.absorb(last);
    state.v2_ ^= 0xEE;
    const uint64_t low = state.finish();
    state.v1_ ^= 0xDD;
    return {.low = low, .high = state.finish()};
  }

 private:
  static_assert(std::endian::native == std::endian::little);

  explicit SipHash(const Key& key)
      : v0_(key[0] ^ 0x736F6D6570736575),
        v1_(key[1] ^ 0x646F72616E646F6D ^ 0xEE),
        v2_(key[0] ^ 0x6C7967656E657261),
        v3_(key[1] ^ 0x7465646279746573) {}

  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }
  void absorb(uint64_t word) {
    v3_ ^= word;
    round();
    round();
    v0_ ^= word;
  }
  uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

  uint64_t v0_;
  uint64_t v1_;
  uint64_t v2_;
  uint64_t v3_;
};

}  // namespace spillway
