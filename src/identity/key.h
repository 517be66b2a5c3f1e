// identity/key.h: what a token's signature is verified with, bound to its algorithms.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "identity/algorithm.h"
#include "identity/openssl_handles.h"

namespace spillway::identity {

namespace limits {
// Issuers publish two or three keys. A set is walked through for a token that names no key.
inline constexpr size_t keys_max = 64;
// So many signatures are verified for one token that names no key, or an unknown one, before it is
// refused: each may cost 100 us.
inline constexpr size_t keys_tried_max = 8;
inline constexpr size_t key_id_bytes_max = 256;
inline constexpr size_t secret_bytes_max = 1024;
inline constexpr int rsa_bits_minimum = 2048;  // RFC 7518 section 3.3.
inline constexpr int rsa_bits_maximum = 8192;  // 0.2 ms a signature; the cost grows by the square.
}  // namespace limits

// What a signature is verified in; made once, then copied over. One core.
struct VerifyContext {
  VerifyContext() : digest(EVP_MD_CTX_new()) { CHECK(digest != nullptr); }
  DigestContext digest;
};

// One key. It verifies the algorithms of its own family and no others (RFC 8725 section 3.1), so
// that no public key is ever taken for a secret. Immutable; any core.
class Key {
 public:
  // `secret` for one of the HMAC algorithms. Error: invalid, if it is shorter than the algorithm's
  // hash (RFC 7518 section 3.2) and `allow_short` is not set, empty, or too long.
  static Result<Key> from_secret(std::string_view secret, Algorithm algorithm, std::string id,
                                 bool allow_short = false);
  // RSA, RSA-PSS, EC on P-256, P-384 or P-521, Ed25519 or Ed448; `only` narrows the algorithms if
  // it is not empty. Error: invalid, for a weak or another key, or if no algorithm is left.
  static Result<Key> from_public(PublicKeyHandle key, std::string id, AlgorithmSet only = {});

  const std::string& id() const { return id_; }  // Its `kid`; empty if it has none.
  AlgorithmSet algorithms() const { return algorithms_; }

  // REQUIRES: algorithms().has(algorithm). Takes the same time for any wrong signature of a secret.
  bool verifies(Algorithm algorithm, std::string_view text, std::string_view signature,
                VerifyContext& context) const;

 private:
  // What has been done already of one algorithm's work, copied for each signature. Fetching and
  // setting up takes OpenSSL 3.0 longer than verifying an HMAC.
  struct Prepared {
    DigestContext inner;  // HMAC: the state after the inner pad; else a verification begun.
    DigestContext outer;  // HMAC only.
    size_t signature_bytes = 0;
  };

  explicit Key(std::string id) : id_(std::move(id)) {}
  Result<void> prepare_hmac(Algorithm algorithm, std::string_view secret);
  Result<void> prepare_public(Algorithm algorithm, EVP_PKEY* key);
  bool verifies_hmac(const Prepared& prepared, std::string_view text, std::string_view signature,
                     VerifyContext& context) const;

  std::string id_;
  AlgorithmSet algorithms_;
  std::array<Prepared, algorithms_count> prepared_;
};

// The keys of one plan, or of one fetch of an issuer's. Immutable once filled; any core.
class KeySet {
 public:
  // Error: limit_exceeded.
  Result<void> add(std::shared_ptr<const Key> key);
  // All of another set's.
  Result<void> add_all(const KeySet& other);

  std::span<const std::shared_ptr<const Key>> keys() const { return keys_; }

 private:
  std::vector<std::shared_ptr<const Key>> keys_;
};

}  // namespace spillway::identity
