// gateway/client_config.h: which clients are served, and whose word about them we believe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/fields.h"

namespace spillway::gateway {

// A country as ISO 3166-1 has it: two capital letters. Immutable value.
struct CountryCode {
  std::array<char, 2> letters{};

  static Result<CountryCode> parse(std::string_view text);
  std::string_view text() const { return {letters.data(), letters.size()}; }
  auto operator<=>(const CountryCode&) const = default;
};
inline std::string to_string(const CountryCode& country) { return std::string(country.text()); }

// Where clients come from, by their addresses.
struct CountriesConfig {
  std::optional<std::string> file;
  std::vector<CountryCode> deny;
  std::vector<CountryCode> allow;

  bool is_off() const { return deny.empty() && allow.empty(); }
  bool operator==(const CountriesConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("file", &CountriesConfig::file,
                {.doc = "A MaxMind DB file with countries, such as GeoLite2-Country. It is read "
                        "again when it changes; a file that is damaged is refused, and the one "
                        "before stays in use.",
                 .example = "GeoLite2-Country.mmdb"});
    visit.field("deny", &CountriesConfig::deny,
                {.doc = "Clients from these countries are answered 403.", .example = "[KP]"});
    visit.field("allow", &CountriesConfig::allow,
                {.doc = "Only clients from these countries are served, unless empty. An address "
                        "that the file does not know is from none of them.",
                 .example = "[DE, AT, CH]"});
  }
};

// Who is served at all. Lists are edited while running by `spillway clients`, too.
struct ClientsConfig {
  std::vector<IpPrefix> allow;
  std::vector<IpPrefix> deny;
  std::optional<uint32_t> connections;
  CountriesConfig countries;
  std::vector<IpPrefix> trusted_proxies;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("allow", &ClientsConfig::allow,
                {.doc = "No limit, denial or country rule holds for these addresses.",
                 .example = "[127.0.0.1, \"::1\"]"});
    visit.field("deny", &ClientsConfig::deny,
                {.doc = "These addresses are answered 403 and their connections closed, unless "
                        "`allow` has them.",
                 .example = "[203.0.113.0/24]"});
    visit.field("connections", &ClientsConfig::connections,
                {.doc = "The most open connections of one address, or of one IPv6 /64; more are "
                        "answered 429, or closed before the handshake of https. Exact over all "
                        "workers. Not for trusted proxies. No limit if absent.",
                 .minimum = 1,
                 .maximum = 1'000'000,
                 .raising = "One client may take more of resources.connections.",
                 .example = "100"});
    visit.field("countries", &ClientsConfig::countries,
                {.doc = "Which countries' clients are served."});
    visit.field("trusted_proxies", &ClientsConfig::trusted_proxies,
                {.doc = "Forwarded and X-Forwarded-* are believed from these addresses only, and "
                        "replaced when anybody else sends them.",
                 .example = "[10.0.0.0/8]"});
  }
};

}  // namespace spillway::gateway
