// identity/pem.cc: block after block, by OpenSSL.
#include "identity/pem.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <memory>
#include <utility>

namespace spillway::identity {
namespace {

// What PEM_read_bio found; the bytes may be a private key's and are wiped.
struct PemBlock {
  PemBlock() = default;
  PemBlock(const PemBlock&) = delete;
  PemBlock& operator=(const PemBlock&) = delete;
  ~PemBlock() {
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<size_t>(size));
  }
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
};

Result<PublicKeyHandle> key_of(const PemBlock& block) {
  const std::string_view name = block.name;
  const unsigned char* at = block.data;
  PublicKeyHandle key;
  if (name == "PUBLIC KEY") {
    key.reset(d2i_PUBKEY(nullptr, &at, block.size));
  } else if (name == "RSA PUBLIC KEY") {
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, block.size));
  } else if (name == "CERTIFICATE") {
    const CertificateHandle certificate(d2i_X509(nullptr, &at, block.size));
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  } else {
    return fail(Error::Code::invalid,
                fmt::format("a PEM block \"{}\"; expected PUBLIC KEY or CERTIFICATE{}", name,
                            name.ends_with("PRIVATE KEY")
                                ? ", for the gateway only verifies: keep the private key away"
                                : ""));
  }
  if (!key) {
    return fail(Error::Code::invalid,
                fmt::format("a PEM block \"{}\" that OpenSSL cannot read", name));
  }
  return key;
}

}  // namespace

Result<KeySet> parse_pem(std::string_view text, const std::string& id, AlgorithmSet only) {
  const BioHandle bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  KeySet keys;
  for (;;) {
    PemBlock block;
    const bool is_read =
        PEM_read_bio(bio.get(), &block.name, &block.header, &block.data, &block.size) == 1;
    ERR_clear_error();
    if (!is_read) break;
    auto handle = key_of(block);
    ERR_clear_error();
    if (!handle) return std::unexpected(std::move(handle).error());
    TRY(key, Key::from_public(*std::move(handle), id, only));
    TRY_VOID(keys.add(std::make_shared<const Key>(std::move(key))));
  }
  if (!keys.keys().empty()) return keys;
  return fail(Error::Code::invalid,
              "neither JSON nor a whole PEM block; expected a line -----BEGIN PUBLIC KEY-----");
}

}  // namespace spillway::identity
