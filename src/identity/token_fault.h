// identity/token_fault.h: why a token is refused, for clients, logs and metrics.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spillway::identity {

enum class TokenFault : uint8_t {
  too_long,
  malformed,
  unsupported_algorithm,
  unsupported_extension,
  wrong_type,
  unknown_key,
  bad_signature,
  bad_claims,
  missing_claim,
  expired,
  not_yet_valid,
  issued_in_future,
  wrong_issuer,
  wrong_audience,
};
inline constexpr size_t token_faults_count = 14;

// "bad_signature": as a metric's label.
std::string_view to_string(TokenFault fault);
// For the error_description of WWW-Authenticate (RFC 6750 section 3): a sentence without quotes or
// backslashes, which says nothing of our keys.
std::string_view describe(TokenFault fault);

}  // namespace spillway::identity
