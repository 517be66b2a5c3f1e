// identity/openssl_handles.h: owners of what OpenSSL allocates.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <memory>

namespace spillway::identity {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* thing) const {
    release(thing);
  }
};

using BigNumberHandle = std::unique_ptr<BIGNUM, Release<BN_free>>;
using BioHandle = std::unique_ptr<BIO, Release<BIO_free>>;
using CertificateHandle = std::unique_ptr<X509, Release<X509_free>>;
using DigestHandle = std::unique_ptr<EVP_MD, Release<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using ParametersHandle = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using PublicKeyHandle = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using PublicKeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;

}  // namespace spillway::identity
