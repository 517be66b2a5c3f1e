// identity/token_testing.h: makes tokens and keys for tests, fuzzers and benchmarks.
#pragma once

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "identity/key.h"

namespace spillway::identity::testing {

inline std::string base64url(std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view three = bytes.substr(i, 3);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < three.size() ? static_cast<uint8_t>(three[k]) : 0U);
    }
    for (size_t k = 0; k <= three.size(); ++k) text += digits[bits >> (18 - 6 * k) & 63];
  }
  return text;
}

inline std::string signing_input(std::string_view header, std::string_view payload) {
  return base64url(header) + "." + base64url(payload);
}

// A token signed with a secret, over any header that is given.
inline std::string hmac_token(std::string_view secret, std::string_view header,
                              std::string_view payload, const EVP_MD* digest = EVP_sha256()) {
  const std::string input = signing_input(header, payload);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned size = 0;
  CHECK(HMAC(digest, secret.data(), static_cast<int>(secret.size()),
             reinterpret_cast<const unsigned char*>(input.data()), input.size(), mac.data(),
             &size) != nullptr);
  return input + "." + base64url({reinterpret_cast<const char*>(mac.data()), size});
}

inline std::string hs256_token(std::string_view secret, std::string_view payload) {
  return hmac_token(secret, R"({"alg":"HS256","typ":"JWT"})", payload);
}

inline PublicKeyHandle make_rsa(unsigned bits = 2048) {
  return PublicKeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{bits}));
}
inline PublicKeyHandle make_ec(const char* curve) {
  return PublicKeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve));
}
inline PublicKeyHandle make_edwards(const char* type) {
  return PublicKeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, type));
}

// Another owner of the same key.
inline PublicKeyHandle shared(const PublicKeyHandle& key) {
  CHECK(EVP_PKEY_up_ref(key.get()) == 1);
  return PublicKeyHandle(key.get());
}

// From DER to the two numbers in full length (RFC 7518 section 3.4).
inline std::string raw_signature(std::string_view der, int number_bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>> parts(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * static_cast<size_t>(number_bytes), '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), out, number_bytes) == number_bytes);
  CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), out + number_bytes, number_bytes) ==
        number_bytes);
  return raw;
}

// The signature of `input` with a private key, as `algorithm` wants it.
inline std::string sign(EVP_PKEY* key, Algorithm algorithm, std::string_view input) {
  const std::string_view name = to_string(algorithm);
  const bool is_edwards = name.starts_with("Ed");
  const std::string digest = "SHA" + std::string(name.substr(2));
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;
  CHECK(EVP_DigestSignInit_ex(context.get(), &parameters, is_edwards ? nullptr : digest.c_str(),
                              nullptr, nullptr, key, nullptr) == 1);
  if (name.starts_with("PS")) {
    CHECK(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1);
    CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  const auto* text = reinterpret_cast<const unsigned char*>(input.data());
  size_t size = 0;
  CHECK(EVP_DigestSign(context.get(), nullptr, &size, text, input.size()) == 1);
  std::string signature(size, '\0');
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       text, input.size()) == 1);
  signature.resize(size);
  if (name == "ES256") return raw_signature(signature, 32);
  if (name == "ES384") return raw_signature(signature, 48);
  if (name == "ES512") return raw_signature(signature, 66);
  return signature;
}

inline std::string signed_token(EVP_PKEY* key, Algorithm algorithm, std::string_view payload) {
  const bool is_edwards = to_string(algorithm).starts_with("Ed");
  const std::string name(is_edwards ? "EdDSA" : to_string(algorithm));
  const std::string input = signing_input(R"({"alg":")" + name + R"("})", payload);
  return input + "." + base64url(sign(key, algorithm, input));
}

inline KeySet set_of(Key key) {
  KeySet keys;
  CHECK(keys.add(std::make_shared<const Key>(std::move(key))));
  return keys;
}

}  // namespace spillway::identity::testing
