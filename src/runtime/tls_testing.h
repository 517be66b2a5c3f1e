// runtime/tls_testing.h: for tests: certificates made on the spot.
#pragma once

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>
#include <vector>

#include "runtime/tls_context.h"
#include "runtime/tls_pem.h"

namespace spillway::runtime {

// Signs itself, or is signed by `issuer`.
class TestCertificate {
 public:
  explicit TestCertificate(const std::vector<std::string>& hosts,
                           const TestCertificate* issuer = nullptr, const char* group = "P-256",
                           long seconds = 86'400)
      : key_(EVP_EC_gen(group)), certificate_(X509_new()) {
    X509* raw = certificate_.get();
    X509_set_version(raw, 2);
    const std::string name = hosts.empty() ? "test root" : hosts.front();
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(raw), std::hash<std::string>()(name));
    X509_gmtime_adj(X509_getm_notBefore(raw), -60);
    X509_gmtime_adj(X509_getm_notAfter(raw), seconds);
    X509_set_pubkey(raw, key_.get());
    add_name(X509_get_subject_name(raw), name);
    X509_set_issuer_name(raw, issuer == nullptr
                                  ? X509_get_subject_name(raw)
                                  : X509_get_subject_name(issuer->certificate_.get()));
    std::string names;
    for (const std::string& host : hosts) names += (names.empty() ? "DNS:" : ",DNS:") + host;
    if (!names.empty()) add_extension(NID_subject_alt_name, names);
    if (issuer == nullptr) add_extension(NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(raw, issuer == nullptr ? key_.get() : issuer->key_.get(), EVP_sha256());
  }

  TlsCertificate pem() const {
    return {.name = "test.pem", .key_name = "test.key", .chain = chain(), .key = key(), .ocsp = ""};
  }
  std::string chain() const {
    return text_of([this](BIO* to) { PEM_write_bio_X509(to, certificate_.get()); });
  }
  std::string key(const char* passphrase = nullptr) const {
    return text_of([this, passphrase](BIO* to) {
      PEM_write_bio_PrivateKey(to, key_.get(), passphrase == nullptr ? nullptr : EVP_aes_128_cbc(),
                               nullptr, 0, nullptr, const_cast<char*>(passphrase));
    });
  }

  // An OCSP answer about `subject`, signed with this key, good for so many seconds from now.
  std::string ocsp(const TestCertificate& subject, long seconds) const {
    const OpenSsl<OCSP_BASICRESP> basic(OCSP_BASICRESP_new());
    ASN1_TIME* now = X509_gmtime_adj(nullptr, -7200);
    ASN1_TIME* next = X509_gmtime_adj(nullptr, seconds);
    OCSP_CERTID* id = OCSP_cert_to_id(EVP_sha1(), subject.certificate_.get(), certificate_.get());
    OCSP_basic_add1_status(basic.get(), id, V_OCSP_CERTSTATUS_GOOD, 0, nullptr, now, next);
    OCSP_basic_sign(basic.get(), certificate_.get(), key_.get(), EVP_sha256(), nullptr, 0);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    const OpenSsl<OCSP_RESPONSE> answer(
        OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
    unsigned char* bytes = nullptr;
    const int size = i2d_OCSP_RESPONSE(answer.get(), &bytes);
    std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
    OPENSSL_free(bytes);
    return der;
  }

 private:
  static void add_name(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  }
  void add_extension(int kind, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }
  template <class Write>
  static std::string text_of(Write write) {
    const OpenSsl<BIO> memory(BIO_new(BIO_s_mem()));
    write(memory.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &bytes);
    return {bytes, static_cast<size_t>(size)};
  }

  OpenSsl<EVP_PKEY> key_;
  OpenSsl<X509> certificate_;
};

}  // namespace spillway::runtime
