// upstream/hash.h: a hash that is the same in every process and version, for rings and cookies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spillway::upstream {

// The finaliser of splitmix64: every input bit reaches every output bit.
constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// FNV-1a, mixed. Not keyed: whoever chooses the text can aim at an endpoint, which is why ring_hash
// bounds the load of each.
constexpr uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  }
  return mix(hash);
}

// An endpoint's identity as a sticky cookie carries it: 16 hexadecimal digits.
std::string sticky_text(uint64_t identity);
std::optional<uint64_t> parse_sticky(std::string_view text);

}  // namespace spillway::upstream
