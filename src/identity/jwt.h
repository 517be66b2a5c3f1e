// identity/jwt.h: whether a JSON Web Token (RFC 7519, RFC 8725) tells who its bearer is, now.
#pragma once

#include <array>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "identity/claims.h"
#include "identity/jws.h"
#include "identity/key.h"
#include "identity/token_fault.h"

namespace spillway::identity {

// What a token has to be like beside well signed. Immutable; any core.
struct JwtPolicy {
  AlgorithmSet algorithms;             // Empty: all that a key of the set can verify.
  std::vector<std::string> issuers;    // `iss` is one of them. Empty: any, or none.
  std::vector<std::string> audiences;  // `aud` is, or has, one of them. Empty: any, or none.
  std::vector<std::string> types;      // `typ` is one of them, without "application/". Empty: any.
  std::vector<std::string> required = {"exp"};  // These claims are there.
  Duration leeway = {};                         // How far the issuer's clock may be off from ours.
};

// Verifies one token after another. 38 KiB; it allocates nothing of its own and remembers nothing.
// One core.
class JwtVerifier {
 public:
  // The claims of `token`, which live until the next call. Every fault is told by its name; whether
  // the signature is right comes before anything that the claims say.
  std::expected<Claims, TokenFault> verify(std::string_view token, const KeySet& keys,
                                           const JwtPolicy& policy, WallTime now);

 private:
  std::expected<void, TokenFault> check_times(const JwtPolicy& policy, WallTime now) const;
  std::expected<void, TokenFault> check_parties(const JwtPolicy& policy);

  JwsOpener opener_;
  JsonObject claims_;
  JsonArray audiences_;
  std::array<char, limits::token_bytes_max> claims_space_;
};

}  // namespace spillway::identity
