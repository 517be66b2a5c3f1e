// upstream/tls_config.h: how a service's endpoints prove who they are, and we to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fields.h"

namespace spillway::upstream {

// TLS towards the endpoints of one service.
struct TlsConfig {
  std::optional<std::string> ca;
  std::optional<std::string> cert;
  std::optional<std::string> key;
  std::optional<std::string> name;
  bool verify = true;

  // "default".
  static Result<TlsConfig> parse(std::string_view text) {
    if (text == "default") return TlsConfig{};
    return fail(Error::Code::invalid, "expected `default`, or fields such as { ca: internal.pem }");
  }
  bool operator==(const TlsConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("ca", &TlsConfig::ca,
                {.doc = "A PEM file of those whose certificates are believed. The system's if "
                        "absent. Read again when it changes, as the others are.",
                 .example = "internal-ca.pem"});
    visit.field("cert", &TlsConfig::cert,
                {.doc = "A PEM file with the certificate that we show (mutual TLS), and those "
                        "between it and the root.",
                 .example = "spillway.pem"});
    visit.field("key", &TlsConfig::key, {.doc = "Its private key.", .example = "spillway.key"});
    visit.field("name", &TlsConfig::name,
                {.doc = "The name that their certificates must be for, which is asked for (SNI), "
                        "too. If absent: the endpoint's host name; for an address, the address.",
                 .example = "api.internal"});
    visit.field("verify", &TlsConfig::verify,
                {.doc = "Without it anybody may answer in their place: for tests alone."});
  }
};

}  // namespace spillway::upstream
