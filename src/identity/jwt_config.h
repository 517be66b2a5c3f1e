// identity/jwt_config.h: what the plan says of tokens and the keys that they are signed with.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/one_or_more.h"
#include "base/time.h"

namespace spillway::identity {

// The name of a header field, in lower case. Immutable value.
struct FieldName {
  std::string text;

  // Letters, digits and the signs of RFC 9110 section 5.6.2; none that frames or routes a message,
  // such as Host or Content-Length, for those must not come from a token.
  static Result<FieldName> parse(std::string_view text);
  auto operator<=>(const FieldName&) const = default;
};
inline const std::string& to_string(const FieldName& name) { return name.text; }

// Where a token is looked for in a request: "header:authorization", "cookie:session".
struct TokenSource {
  enum class Kind : uint8_t { header, cookie };
  Kind kind = Kind::header;
  std::string name = "authorization";  // In lower case if it is a header's.

  static Result<TokenSource> parse(std::string_view text);
  auto operator<=>(const TokenSource&) const = default;
};
std::string to_string(const TokenSource& source);

// One key that tokens may be signed with.
struct JwtKeyConfig {
  std::optional<std::string> hs256;
  std::optional<std::string> hs384;
  std::optional<std::string> hs512;
  std::optional<std::string> file;
  std::string kid;
  std::string algorithm;
  bool allow_short = false;

  template <class Visitor>
  static void describe(Visitor& visit) {
    const auto secret = [](std::string_view doc) {
      return FieldNote{.doc = doc, .secret = true, .example = "\"${JWT_SECRET}\""};
    };
    visit.field("hs256", &JwtKeyConfig::hs256, secret("A secret for HS256, 32 bytes or more."));
    visit.field("hs384", &JwtKeyConfig::hs384, secret("A secret for HS384, 48 bytes or more."));
    visit.field("hs512", &JwtKeyConfig::hs512, secret("A secret for HS512, 64 bytes or more."));
    visit.field("file", &JwtKeyConfig::file,
                {.doc = "Instead of a secret: a file with public keys or certificates in PEM, or a "
                        "JWK or JWKS in JSON; from the plan file's folder. Read again on reload.",
                 .example = "jwt-public.pem"});
    visit.field("kid", &JwtKeyConfig::kid,
                {.doc = "Only for tokens that name this key. Absent: for tokens that name none, or "
                        "one that no key here has.",
                 .example = "2026-01"});
    visit.field("algorithm", &JwtKeyConfig::algorithm,
                {.doc = "The one algorithm of a PEM key: RS256, PS256 and so on. Absent: all that "
                        "fit its type.",
                 .example = "RS256"});
    visit.field("allow_short", &JwtKeyConfig::allow_short,
                {.doc = "Accepts a secret that is shorter than RFC 7518 demands, and so may be "
                        "guessed from any one token."});
  }
};

// Keys that an issuer publishes. The short form is the URL alone.
struct JwksConfig {
  std::string url;
  Duration refresh = 10min;
  Duration retry = 30s;
  Duration timeout = 5s;
  std::optional<std::string> ca;

  static Result<JwksConfig> parse(std::string_view text);

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("url", &JwksConfig::url,
                {.doc = "Where the issuer's JWKS is.",
                 .required = true,
                 .example = "https://login.example/jwks.json"});
    visit.field("refresh", &JwksConfig::refresh,
                {.doc = "The keys are fetched again after this long, or sooner if the answer's "
                        "max-age says so. If that fails, the old ones stay.",
                 .minimum = 10,
                 .maximum = 86'400,
                 .unit = "s",
                 .raising = "A key that the issuer withdraws is believed for longer."});
    visit.field("retry", &JwksConfig::retry,
                {.doc = "A token with an unknown key, or a failed fetch, makes them be fetched "
                        "again, but not more often than this.",
                 .minimum = 1,
                 .maximum = 3600,
                 .unit = "s",
                 .raising = "Tokens of a new key are refused for longer."});
    visit.field("timeout", &JwksConfig::timeout,
                {.doc = "How long a fetch may take.", .minimum = 0.1, .maximum = 60, .unit = "s"});
    visit.field("ca", &JwksConfig::ca,
                {.doc = "A PEM file of those whose certificates are believed of the issuer, for "
                        "https. The system's if absent.",
                 .example = "internal-ca.pem"});
  }
};

// Tokens that issuers signed (RFC 7519).
struct JwtConfig {
  std::vector<JwtKeyConfig> keys;
  std::optional<JwksConfig> jwks;
  OneOrMore<TokenSource> from = {TokenSource{}};
  std::optional<std::string> issuer;
  OneOrMore<std::string> audience;
  std::optional<std::string> type;
  OneOrMore<std::string> algorithms;
  std::vector<std::string> require = {"exp"};
  Duration leeway = 5s;
  std::string user = "sub";
  std::map<std::string, FieldName> claims;
  std::string realm = "spillway";

  template <class Visitor>
  static void describe(Visitor& visit);
};

template <class Visitor>
void JwtConfig::describe(Visitor& visit) {
  visit.field(
      "keys", &JwtConfig::keys,
      {.doc = "The keys that tokens may be signed with; each verifies the algorithms of its "
              "own type and no others.",
       .example = "[{ hs256: \"${JWT_SECRET}\" }, { file: public.pem, kid: \"1\" }]"});
  visit.field("jwks", &JwtConfig::jwks,
              {.doc = "More keys, from the issuer: a URL, or fields.",
               .example = "http://login.internal/jwks.json"});
  visit.field("from", &JwtConfig::from,
              {.doc = "Where the token is, the first that is there: header:authorization (after "
                      "\"Bearer\"), header:NAME or cookie:NAME.",
               .example = "[header:authorization, cookie:session]"});
  visit.field(
      "issuer", &JwtConfig::issuer,
      {.doc = "What `iss` has to be. Absent: anything.", .example = "https://login.example/"});
  visit.field("audience", &JwtConfig::audience,
              {.doc = "`aud` has to be, or have, one of these. Empty: anything, which lets in what "
                      "the issuer made for other applications.",
               .example = "shop"});
  visit.field("type", &JwtConfig::type,
              {.doc = "What `typ` has to be (RFC 8725 section 3.11). Absent: anything.",
               .example = "at+jwt"});
  visit.field("algorithms", &JwtConfig::algorithms,
              {.doc = "Only these. Empty: all that the keys' types allow.", .example = "ES256"});
  visit.field("require", &JwtConfig::require,
              {.doc = "A token without one of these claims is refused. One without `exp` would be "
                      "good forever.",
               .example = "[exp, sub]"});
  visit.field("leeway", &JwtConfig::leeway,
              {.doc = "How far the issuer's clock may be off from ours.",
               .maximum = 600,
               .unit = "s",
               .raising = "An expired token is believed for as much longer."});
  visit.field("user", &JwtConfig::user,
              {.doc = "The claim that names the user, for limits and logs.", .example = "email"});
  visit.field("claims", &JwtConfig::claims,
              {.doc = "Claims that services are told, each in its header: text and numbers as they "
                      "are, lists with commas. \"realm_access.roles\" is a claim within another. "
                      "What a client sends in these headers is removed.",
               .example = "{ role: x-user-role }"});
  visit.field("realm", &JwtConfig::realm,
              {.doc = "What WWW-Authenticate names to callers without a good token."});
}

}  // namespace spillway::identity
