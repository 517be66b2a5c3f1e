// runtime/tls_pem.h: certificates and keys out of PEM text, with words for what is wrong.
#pragma once

#include <openssl/ocsp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace spillway::runtime {

struct TlsCertificate;

struct OpenSslFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(OCSP_RESPONSE* answer) const { OCSP_RESPONSE_free(answer); }
  void operator()(OCSP_BASICRESP* answer) const { OCSP_BASICRESP_free(answer); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
template <class T>
using OpenSsl = std::unique_ptr<T, OpenSslFree>;

// "NAME WHAT: OpenSSL's reason", and forgets the reason.
std::unexpected<Error> openssl_failure(std::string_view name, std::string_view what);

// All certificates in `pem`, at least one. Error: invalid.
Result<std::vector<OpenSsl<X509>>> read_certificates(std::string_view name, std::string_view pem);
// Error: invalid; a key with a passphrase is one.
Result<OpenSsl<EVP_PKEY>> read_key(std::string_view name, std::string_view pem);

// The host names and addresses it is for (RFC 6125 section 6.4), in small letters.
std::vector<std::string> hosts_of(const X509& certificate);
WallTime expiry_of(const X509& certificate);

// Until when `der`, an OCSP answer, is worth anything (nextUpdate, RFC 6960 section 4.2.2.1); for
// ever if it does not say. Error: invalid: it is none, or says nothing of `certificate`.
Result<WallTime> check_ocsp(std::string_view name, std::string_view der, const X509& certificate);

// Makes `context` show it and sign with its key. Error: invalid.
Result<void> use_certificate(SSL_CTX* context, const TlsCertificate& certificate);
// Makes `context` believe what these have signed.
Result<void> trust(SSL_CTX* context, std::string_view name, std::string_view ca);

}  // namespace spillway::runtime
