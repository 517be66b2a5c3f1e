// upstream/balance.h: the plan's `balance` value: which algorithm chooses, and by what it hashes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace spillway::upstream {

// Written "round_robin", "least_requests", "random_two", "ring_hash(header:x-user)",
// "ring_hash(cookie:session)" or "ring_hash(ip)". Immutable value.
struct Balance {
  enum class Algorithm : uint8_t { round_robin, least_requests, random_two, ring_hash };
  enum class HashBy : uint8_t { nothing, header, cookie, ip };  // `nothing` unless ring_hash.

  Algorithm algorithm = Algorithm::least_requests;
  HashBy hash_by = HashBy::nothing;
  std::string hash_name;  // The header (in lower case) or cookie; empty for ip.

  // Error: invalid, naming the forms above.
  static Result<Balance> parse(std::string_view text);
  bool operator==(const Balance&) const = default;
};

std::string to_string(const Balance& balance);  // Parses back to the same value.
std::string_view to_string(Balance::Algorithm algorithm);

}  // namespace spillway::upstream
