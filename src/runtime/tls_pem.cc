// runtime/tls_pem.cc: reading PEM with OpenSSL.
#include "runtime/tls_pem.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/address.h"
#include "base/ascii.h"
#include "runtime/tls_context.h"

namespace spillway::runtime {
namespace {

constexpr size_t chain_max = 16;  // Real ones have two to four.

OpenSsl<BIO> memory_of(std::string_view text) {
  return OpenSsl<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

WallTime time_of(const ASN1_TIME* text) {
  std::tm time{};
  ASN1_TIME_to_tm(text, &time);
  return WallTime(std::chrono::seconds(::timegm(&time)));
}

// Asked for a passphrase: there is nobody to ask.
int no_passphrase(char*, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

}  // namespace

std::unexpected<Error> openssl_failure(std::string_view name, std::string_view what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return fail(Error::Code::invalid, reason == nullptr
                                        ? fmt::format("{} {}", name, what)
                                        : fmt::format("{} {}: {}", name, what, reason));
}

Result<std::vector<OpenSsl<X509>>> read_certificates(std::string_view name, std::string_view pem) {
  const auto memory = memory_of(pem);
  std::vector<OpenSsl<X509>> certificates;
  while (true) {
    ERR_clear_error();
    OpenSsl<X509> next(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    certificates.push_back(std::move(next));
  }
  // The end of the text is told as an error as well.
  const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!is_end) return openssl_failure(name, "has a certificate that cannot be read");
  ERR_clear_error();
  if (certificates.empty()) {
    return fail(Error::Code::invalid,
                fmt::format("{} holds no certificate; expected PEM, which begins with "
                            "-----BEGIN CERTIFICATE-----",
                            name));
  }
  return certificates;
}

Result<OpenSsl<EVP_PKEY>> read_key(std::string_view name, std::string_view pem) {
  ERR_clear_error();
  bool was_asked = false;
  const auto memory = memory_of(pem);
  OpenSsl<EVP_PKEY> key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, &was_asked));
  if (key != nullptr) return key;
  if (was_asked) {
    ERR_clear_error();
    return fail(Error::Code::invalid,
                fmt::format("{} is encrypted; expected a key without a passphrase", name));
  }
  return openssl_failure(name, "holds no private key in PEM");
}

std::vector<std::string> hosts_of(const X509& certificate) {
  std::vector<std::string> hosts;
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_DNS) {
      const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      const auto size = static_cast<size_t>(ASN1_STRING_length(name->d.dNSName));
      hosts.push_back(lowered(std::string_view(text, size)));
    } else if (name->type == GEN_IPADD) {
      const auto* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      const int size = ASN1_STRING_length(name->d.iPAddress);
      if (size == 4) {
        hosts.push_back(to_string(IpAddress::from_v4(
            static_cast<uint32_t>(bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]))));
      } else if (size == 16) {
        std::array<uint8_t, 16> ip;
        std::copy_n(bytes, ip.size(), ip.begin());
        hosts.push_back(to_string(IpAddress::from_v6(ip)));
      }
    }
  }
  GENERAL_NAMES_free(names);
  if (!hosts.empty()) return hosts;
  // Old certificates of one's own have a common name alone.
  std::array<char, 256> common{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(&certificate), NID_commonName,
                                             common.data(), common.size());
  if (size > 0) hosts.push_back(lowered({common.data(), static_cast<size_t>(size)}));
  return hosts;
}

WallTime expiry_of(const X509& certificate) { return time_of(X509_get0_notAfter(&certificate)); }

Result<WallTime> check_ocsp(std::string_view name, std::string_view der, const X509& certificate) {
  ERR_clear_error();
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  const OpenSsl<OCSP_RESPONSE> answer(
      d2i_OCSP_RESPONSE(nullptr, &bytes, static_cast<long>(der.size())));
  if (answer == nullptr) return openssl_failure(name, "holds no OCSP answer in DER");
  const OpenSsl<OCSP_BASICRESP> basic(OCSP_response_get1_basic(answer.get()));
  const int count = basic == nullptr ? 0 : OCSP_resp_count(basic.get());
  ERR_clear_error();
  for (int i = 0; i < count; ++i) {
    OCSP_SINGLERESP* single = OCSP_resp_get0(basic.get(), i);
    ASN1_INTEGER* serial = nullptr;
    // It takes no const, and changes nothing.
    OCSP_id_get0_info(nullptr, nullptr, nullptr, &serial,
                      const_cast<OCSP_CERTID*>(OCSP_SINGLERESP_get0_id(single)));
    if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(&certificate)) != 0) continue;
    ASN1_GENERALIZEDTIME* next = nullptr;
    OCSP_single_get0_status(single, nullptr, nullptr, nullptr, &next);
    return next == nullptr ? WallTime::max() : time_of(next);
  }
  return fail(Error::Code::invalid,
              fmt::format("{} is an OCSP answer that says nothing of the certificate", name));
}

Result<void> use_certificate(SSL_CTX* context, const TlsCertificate& certificate) {
  const std::string& name = certificate.name;
  TRY(certificates, read_certificates(name, certificate.chain));
  TRY(private_key, read_key(certificate.key_name, certificate.key));
  if (certificates.size() > chain_max) {
    return fail(Error::Code::invalid,
                fmt::format("{} holds {} certificates; expected one and those that signed it, at "
                            "most {}",
                            name, certificates.size(), chain_max));
  }
  if (X509_check_private_key(certificates.front().get(), private_key.get()) != 1) {
    ERR_clear_error();
    return fail(Error::Code::invalid,
                fmt::format("{} is not the private key of {}", certificate.key_name, name));
  }
  STACK_OF(X509)* others = sk_X509_new_null();
  for (size_t i = 1; i < certificates.size(); ++i) sk_X509_push(others, certificates[i].get());
  ERR_clear_error();
  const int used =
      SSL_CTX_use_cert_and_key(context, certificates.front().get(), private_key.get(), others, 1);
  sk_X509_free(others);  // The list alone; the context has counted what is in it.
  if (used != 1) return openssl_failure(name, "cannot be used");
  return {};
}

Result<void> trust(SSL_CTX* context, std::string_view name, std::string_view ca) {
  TRY(certificates, read_certificates(name, ca));
  for (const auto& certificate : certificates) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get()) != 1) {
      return openssl_failure(name, "has a certificate that cannot be trusted");
    }
    SSL_CTX_add_client_CA(context, certificate.get());
  }
  return {};
}

}  // namespace spillway::runtime
