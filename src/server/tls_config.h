// server/tls_config.h: certificates, and what TLS connections of clients have to fulfil.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/time.h"
#include "runtime/config.h"

namespace spillway::server {

// One certificate and its key: files in PEM.
struct CertificateConfig {
  std::string cert;
  std::string key;
  std::optional<std::string> ocsp;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("cert", &CertificateConfig::cert,
                {.doc = "A PEM file: the certificate, then those that signed it. Relative to the "
                        "plan file's folder. The files are looked at every few seconds, and a "
                        "change is taken over without cutting anybody off.",
                 .required = true,
                 .example = "shop.pem"});
    visit.field("key", &CertificateConfig::key,
                {.doc = "A PEM file: its private key, without a passphrase.",
                 .required = true,
                 .example = "shop.key"});
    visit.field("ocsp", &CertificateConfig::ocsp,
                {.doc = "A file with an OCSP answer in DER, which is stapled to handshakes.",
                 .example = "shop.ocsp"});
  }
};

// Strict-Transport-Security (RFC 6797). The short form is its time alone: "365d".
struct HstsConfig {
  Duration max_age{};
  bool subdomains = false;
  bool preload = false;

  static Result<HstsConfig> parse(std::string_view text);
  std::string value() const;  // Of the header field.

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("max_age", &HstsConfig::max_age,
                {.doc = "How long a browser uses https alone once it has seen this.",
                 .maximum = 3.2e8,
                 .unit = "s",
                 .raising = "A site without TLS stays unreachable longer for who has seen it.",
                 .required = true,
                 .example = "365d"});
    visit.field("subdomains", &HstsConfig::subdomains, {.doc = "For all names below it as well."});
    visit.field("preload", &HstsConfig::preload,
                {.doc = "Lets browsers' makers list it; they ask for a year and `subdomains`."});
  }
};

enum class ClientCertificateRule : uint8_t { required, optional };
constexpr std::array<std::string_view, 2> enum_names(ClientCertificateRule) {
  return {"required", "optional"};
}

// Mutual TLS: who clients have to be.
struct ClientCertificatesConfig {
  std::string ca;
  ClientCertificateRule certificate = ClientCertificateRule::required;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("ca", &ClientCertificatesConfig::ca,
                {.doc = "A PEM file: those whose signature a client's certificate needs. A service "
                        "is told of it in Client-Cert (RFC 9440), which nobody else can set.",
                 .required = true,
                 .example = "clients-ca.pem"});
    visit.field("certificate", &ClientCertificatesConfig::certificate,
                {.doc = "Whether a client without one is let in."});
  }
};

// How https listeners speak TLS.
struct TlsConfig {
  using Group = runtime::TlsGroup;

  std::vector<CertificateConfig> certificates;
  runtime::TlsVersion minimum = runtime::TlsVersion::tls12;
  std::vector<Group> groups = {Group::x25519_mlkem768, Group::x25519, Group::p256, Group::p384};
  bool require_post_quantum = false;
  std::optional<HstsConfig> hsts;
  std::optional<ClientCertificatesConfig> clients;
  Duration handshake_timeout = 10s;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("certificates", &TlsConfig::certificates,
                {.doc = "Chosen by the name that a client asks for: an exact name, then a "
                        "wildcard, then the first of the list. Several for one name may differ in "
                        "the kind of their key.",
                 .example = "[{ cert: shop.pem, key: shop.key }]"});
    visit.field("minimum", &TlsConfig::minimum,
                {.doc = "The oldest version that is spoken.", .example = "\"1.3\""});
    visit.field("groups", &TlsConfig::groups,
                {.doc = "How keys are agreed on, the best first; those that the linked OpenSSL "
                        "lacks are left out (it has the post-quantum ones from 3.5 on).",
                 .example = "[X25519MLKEM768, X25519, P-256]"});
    visit.field("require_post_quantum", &TlsConfig::require_post_quantum,
                {.doc = "Refuses handshakes whose keys a quantum computer could find: only the "
                        "hybrid groups, and only TLS 1.3."});
    visit.field("hsts", &TlsConfig::hsts,
                {.doc = "Strict-Transport-Security on answers over https. Absent: not sent.",
                 .example = "365d"});
    visit.field("clients", &TlsConfig::clients,
                {.doc = "Mutual TLS: clients show a certificate. Absent: they are not asked."});
    visit.field("handshake_timeout", &TlsConfig::handshake_timeout,
                {.doc = "How long a handshake may take before the connection is closed.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s"});
  }
};

}  // namespace spillway::server
