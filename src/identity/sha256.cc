// identity/sha256.cc: OpenSSL's SHA-256, fetched once.
#include "identity/sha256.h"

#include <openssl/crypto.h>
#include <sys/random.h>

#include <cerrno>

#include "base/check.h"

namespace spillway::identity {

bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<ProcessSecret> ProcessSecret::make() {
  ProcessSecret secret;
  // Up to 256 bytes come whole (getrandom(2)).
  if (getrandom(secret.bytes.data(), secret.bytes.size(), 0) !=
      static_cast<ssize_t>(secret.bytes.size())) {
    return fail(system_error(errno, "getrandom"));
  }
  return secret;
}

Sha256::Sha256()
    : algorithm_(EVP_MD_fetch(nullptr, "SHA256", nullptr)), context_(EVP_MD_CTX_new()) {
  CHECK(algorithm_ != nullptr && context_ != nullptr);
}

void Sha256::add(std::string_view text) {
  CHECK(EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1);
}

Sha256Digest Sha256::hash(std::initializer_list<std::string_view> texts) {
  CHECK(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr) == 1);
  for (const std::string_view text : texts) add(text);
  Sha256Digest digest;
  CHECK(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  return digest;
}

Sha256Digest Sha256::keyed(const ProcessSecret& secret,
                           std::initializer_list<std::string_view> texts) {
  const Sha256Digest inner = hash(texts);
  const auto text_of = [](const Sha256Digest& digest) {
    return std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size());
  };
  return hash({text_of(secret.bytes), text_of(inner)});
}

}  // namespace spillway::identity
