// identity/key.cc: prepares each algorithm of a key once and verifies from there.
#include "identity/key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "identity/ecdsa_signature.h"

namespace spillway::identity {
namespace {

constexpr size_t digest_bytes_max = 64;  // SHA-512.
constexpr size_t block_bytes_max = 128;  // Of SHA-384 and SHA-512.

// The failures of one function are told by its result; none stays behind for another caller.
class ErrorsForgotten {
 public:
  ErrorsForgotten() { ERR_set_mark(); }
  ErrorsForgotten(const ErrorsForgotten&) = delete;
  ErrorsForgotten& operator=(const ErrorsForgotten&) = delete;
  ~ErrorsForgotten() { ERR_pop_to_mark(); }
};

// Null for the Edwards curves, which hash in their own way.
const char* digest_of(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256:
    case Algorithm::rs256:
    case Algorithm::ps256:
    case Algorithm::es256: return "SHA256";
    case Algorithm::hs384:
    case Algorithm::rs384:
    case Algorithm::ps384:
    case Algorithm::es384: return "SHA384";
    case Algorithm::hs512:
    case Algorithm::rs512:
    case Algorithm::ps512:
    case Algorithm::es512: return "SHA512";
    case Algorithm::ed25519:
    case Algorithm::ed448: break;
  }
  return nullptr;
}

std::unexpected<Error> refused_by_library(std::string_view doing) {
  return fail(Error::Code::invalid, fmt::format("OpenSSL cannot {}", doing));
}

Result<AlgorithmSet> rsa_family(EVP_PKEY* key, AlgorithmSet family) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < limits::rsa_bits_minimum || bits > limits::rsa_bits_maximum) {
    return fail(Error::Code::invalid,
                fmt::format("an RSA key of {} bits; expected {} to {} (RFC 7518 section 3.3)", bits,
                            limits::rsa_bits_minimum, limits::rsa_bits_maximum));
  }
  BIGNUM* exponent = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
    return refused_by_library("read the exponent of an RSA key");
  }
  const BigNumberHandle owned(exponent);
  constexpr int exponent_bits_max = 64;  // As OpenSSL has it for long keys.
  const bool is_sound = BN_is_odd(exponent) == 1 && BN_is_one(exponent) == 0 &&
                        BN_num_bits(exponent) <= exponent_bits_max;
  if (!is_sound) {
    return fail(Error::Code::invalid,
                "an RSA key whose exponent is even, 1 or longer than 64 bits; expected 65537");
  }
  return family;
}

// Each curve has its one algorithm (RFC 7518 section 3.4).
Result<AlgorithmSet> curve_family(EVP_PKEY* key) {
  std::array<char, 64> name{};
  size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) {
    return refused_by_library("name the curve of an EC key");
  }
  const std::string_view curve(name.data(), size);
  if (curve == "prime256v1" || curve == "P-256") return AlgorithmSet{Algorithm::es256};
  if (curve == "secp384r1" || curve == "P-384") return AlgorithmSet{Algorithm::es384};
  if (curve == "secp521r1" || curve == "P-521") return AlgorithmSet{Algorithm::es512};
  return fail(Error::Code::invalid,
              fmt::format("an EC key on the curve {}; expected P-256, P-384 or P-521", curve));
}

Result<AlgorithmSet> family_of(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) return rsa_family(key, rsa_algorithms);
  if (EVP_PKEY_is_a(key, "RSA-PSS") == 1) return rsa_family(key, pss_algorithms);
  if (EVP_PKEY_is_a(key, "EC") == 1) return curve_family(key);
  if (EVP_PKEY_is_a(key, "ED25519") == 1) return AlgorithmSet{Algorithm::ed25519};
  if (EVP_PKEY_is_a(key, "ED448") == 1) return AlgorithmSet{Algorithm::ed448};
  const char* name = EVP_PKEY_get0_type_name(key);
  return fail(Error::Code::invalid, fmt::format("a key of type {}; expected RSA, EC or Ed25519",
                                                name == nullptr ? "unknown" : name));
}

size_t signature_bytes_of(Algorithm algorithm, EVP_PKEY* key) {
  switch (algorithm) {
    case Algorithm::es256: return 64;
    case Algorithm::es384: return 96;
    case Algorithm::es512: return 132;
    default: return static_cast<size_t>(EVP_PKEY_get_size(key));
  }
}

bool is_ecdsa(Algorithm algorithm) {
  return algorithm == Algorithm::es256 || algorithm == Algorithm::es384 ||
         algorithm == Algorithm::es512;
}

const uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

Result<Key> Key::from_secret(std::string_view secret, Algorithm algorithm, std::string id,
                             bool allow_short) {
  CHECK(hmac_algorithms.has(algorithm));
  if (secret.empty()) return fail(Error::Code::invalid, "an empty secret");
  if (secret.size() > limits::secret_bytes_max) {
    return fail(Error::Code::invalid, fmt::format("a secret of {} bytes; at most {} are taken",
                                                  secret.size(), limits::secret_bytes_max));
  }
  const ErrorsForgotten errors;
  Key key(std::move(id));
  TRY_VOID(key.prepare_hmac(algorithm, secret));
  const size_t least = key.prepared_[static_cast<size_t>(algorithm)].signature_bytes;
  if (secret.size() < least && !allow_short) {
    return fail(Error::Code::invalid,
                fmt::format("a secret of {} bytes for {}; expected {} or more (RFC 7518 section "
                            "3.2), or allow_short: true for an issuer that cannot be changed",
                            secret.size(), to_string(algorithm), least));
  }
  key.algorithms_ = {algorithm};
  return key;
}

Result<Key> Key::from_public(PublicKeyHandle handle, std::string id, AlgorithmSet only) {
  const ErrorsForgotten errors;
  TRY(family, family_of(handle.get()));
  Key key(std::move(id));
  key.algorithms_ = only.is_empty() ? family : family & only;
  if (key.algorithms_.is_empty()) {
    return fail(Error::Code::invalid, "a key of another type than its algorithm");
  }
  for (size_t i = 0; i < algorithms_count; ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    if (key.algorithms_.has(algorithm)) TRY_VOID(key.prepare_public(algorithm, handle.get()));
  }
  return key;
}

// The two hashes of RFC 2104 after their first block, which depends on the secret alone. Copying
// these states takes 0.3 us a token under OpenSSL 3.0, a copied EVP_MAC_CTX 0.65, HMAC() 1.35.
Result<void> Key::prepare_hmac(Algorithm algorithm, std::string_view secret) {
  const DigestHandle digest(EVP_MD_fetch(nullptr, digest_of(algorithm), nullptr));
  Prepared& prepared = prepared_[static_cast<size_t>(algorithm)];
  prepared.inner.reset(EVP_MD_CTX_new());
  prepared.outer.reset(EVP_MD_CTX_new());
  if (!digest || !prepared.inner || !prepared.outer) return refused_by_library("hash");
  prepared.signature_bytes = static_cast<size_t>(EVP_MD_get_size(digest.get()));
  const auto block_bytes = static_cast<size_t>(EVP_MD_get_block_size(digest.get()));
  CHECK(block_bytes <= block_bytes_max);

  std::array<uint8_t, block_bytes_max> block{};
  bool is_done = true;
  if (secret.size() <= block_bytes) {
    std::ranges::copy(secret, block.begin());
  } else {
    is_done =
        EVP_Digest(secret.data(), secret.size(), block.data(), nullptr, digest.get(), nullptr) == 1;
  }
  constexpr uint8_t inner_pad = 0x36;
  constexpr uint8_t outer_pad = 0x5c;
  for (uint8_t& byte : block) byte ^= inner_pad;
  is_done = is_done && EVP_DigestInit_ex2(prepared.inner.get(), digest.get(), nullptr) == 1 &&
            EVP_DigestUpdate(prepared.inner.get(), block.data(), block_bytes) == 1;
  for (uint8_t& byte : block) byte ^= inner_pad ^ outer_pad;
  is_done = is_done && EVP_DigestInit_ex2(prepared.outer.get(), digest.get(), nullptr) == 1 &&
            EVP_DigestUpdate(prepared.outer.get(), block.data(), block_bytes) == 1;
  OPENSSL_cleanse(block.data(), block.size());
  if (!is_done) return refused_by_library("hash");
  return {};
}

Result<void> Key::prepare_public(Algorithm algorithm, EVP_PKEY* key) {
  Prepared& prepared = prepared_[static_cast<size_t>(algorithm)];
  prepared.inner.reset(EVP_MD_CTX_new());
  prepared.signature_bytes = signature_bytes_of(algorithm, key);
  EVP_PKEY_CTX* context = nullptr;  // Belongs to prepared.inner.
  if (!prepared.inner ||
      EVP_DigestVerifyInit_ex(prepared.inner.get(), &context, digest_of(algorithm), nullptr,
                              nullptr, key, nullptr) != 1) {
    return refused_by_library(fmt::format("verify {} with this key", to_string(algorithm)));
  }
  if (!pss_algorithms.has(algorithm)) return {};
  // The salt is as long as the hash (RFC 7518 section 3.5).
  if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) != 1) {
    return refused_by_library(fmt::format("verify {} with this key", to_string(algorithm)));
  }
  return {};
}

bool Key::verifies(Algorithm algorithm, std::string_view text, std::string_view signature,
                   VerifyContext& context) const {
  CHECK(algorithms_.has(algorithm));
  const Prepared& prepared = prepared_[static_cast<size_t>(algorithm)];
  if (signature.size() != prepared.signature_bytes) return false;
  if (hmac_algorithms.has(algorithm)) return verifies_hmac(prepared, text, signature, context);

  const ErrorsForgotten errors;
  EcdsaSignature der;
  if (is_ecdsa(algorithm)) signature = der.encode(signature);
  return EVP_MD_CTX_copy_ex(context.digest.get(), prepared.inner.get()) == 1 &&
         EVP_DigestVerify(context.digest.get(), bytes_of(signature), signature.size(),
                          bytes_of(text), text.size()) == 1;
}

bool Key::verifies_hmac(const Prepared& prepared, std::string_view text, std::string_view signature,
                        VerifyContext& context) const {
  EVP_MD_CTX* digest = context.digest.get();
  std::array<uint8_t, digest_bytes_max> hash;
  const size_t size = prepared.signature_bytes;
  const bool is_done = EVP_MD_CTX_copy_ex(digest, prepared.inner.get()) == 1 &&
                       EVP_DigestUpdate(digest, text.data(), text.size()) == 1 &&
                       EVP_DigestFinal_ex(digest, hash.data(), nullptr) == 1 &&
                       EVP_MD_CTX_copy_ex(digest, prepared.outer.get()) == 1 &&
                       EVP_DigestUpdate(digest, hash.data(), size) == 1 &&
                       EVP_DigestFinal_ex(digest, hash.data(), nullptr) == 1;
  return is_done && CRYPTO_memcmp(hash.data(), signature.data(), size) == 0;
}

Result<void> KeySet::add(std::shared_ptr<const Key> key) {
  if (keys_.size() == limits::keys_max) {
    return fail(Error::Code::limit_exceeded,
                fmt::format("more than {} keys in one set", limits::keys_max));
  }
  keys_.push_back(std::move(key));
  return {};
}

Result<void> KeySet::add_all(const KeySet& other) {
  for (const auto& key : other.keys_) TRY_VOID(add(key));
  return {};
}

}  // namespace spillway::identity
