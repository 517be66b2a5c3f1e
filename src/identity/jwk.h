// identity/jwk.h: keys from where they are written down: JWK and JWKS, PEM.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "identity/key.h"

namespace spillway::identity {

namespace limits {
// A set of keys_max RSA keys of 8,192 bits with their certificates is shorter.
inline constexpr size_t key_file_bytes_max = 256 << 10;
}  // namespace limits

// One JWK (RFC 7517 section 4): kty oct, RSA, EC or OKP. The public part is used, a private one
// never looked at; certificates in it (x5c, x5u) are not followed. A secret needs its `alg`. Error:
// invalid, naming the member that is wrong; never the value of a secret.
Result<std::shared_ptr<const Key>> parse_jwk(std::string_view text);

// What came of a set.
struct ParsedKeys {
  KeySet keys;
  // Of those that were left out: keys for encryption, of an unknown type or curve, or weak ones
  // (RFC 7517 section 5 has a reader pass over what it does not understand).
  std::vector<std::string> passed_over;
};

// A JWKS (RFC 7517 section 5), as an issuer publishes it. Secrets in it are passed over, for what
// can be fetched is none. Error: invalid, if it is no such set or no key of it can be used;
// limit_exceeded.
Result<ParsedKeys> parse_jwks(std::string_view text);

// What a person may name as a key's file: a JWK, a JWKS, or PEM text with public keys and
// certificates (RFC 7468). A certificate is a wrapping of its key: dates and signers are not
// checked. A private key is refused by name. `id` and `only` go to every key of PEM text, and must
// be absent for JSON, which has its own. Error: as above, and the first key that cannot be used.
Result<KeySet> parse_key_file(std::string_view text, const std::string& id, AlgorithmSet only = {});

}  // namespace spillway::identity
