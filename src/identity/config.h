// identity/config.h: what the plan says of who a caller may be and how that is proven.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/time.h"
#include "identity/jwt_config.h"

namespace spillway::identity {

// The SHA-256 digest of an API key: 64 hexadecimal digits, with "sha256:" before them or without.
struct KeyDigest {
  std::array<uint8_t, 32> sha256{};

  static Result<KeyDigest> parse(std::string_view text);
  auto operator<=>(const KeyDigest&) const = default;
};
std::string to_string(const KeyDigest& digest);

// Long random keys, each given to one caller.
struct ApiKeysConfig {
  FieldName header = {"x-api-key"};
  std::map<std::string, KeyDigest> keys;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("header", &ApiKeysConfig::header,
                {.doc = "The header that holds the key. Services do not see it."});
    visit.field("keys", &ApiKeysConfig::keys,
                {.doc = "The SHA-256 digest of each caller's key by the caller's name, which is "
                        "then the user: printf %s KEY | sha256sum.",
                 .secret = true});
  }
};

// Users and passwords, as browsers ask for them (RFC 7617).
struct BasicConfig {
  std::string realm = "spillway";
  std::map<std::string, std::string> users;
  std::optional<std::string> file;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("realm", &BasicConfig::realm, {.doc = "What browsers show beside the question."});
    visit.field("users", &BasicConfig::users,
                {.doc = "The hash of each user's password: bcrypt ($2y$), SHA-crypt ($5$, $6$) or "
                        "{SHA256} and a digest.",
                 .secret = true});
    visit.field("file", &BasicConfig::file,
                {.doc = "More of them, NAME:HASH on each line, as `htpasswd -B` writes it; from "
                        "the plan file's folder. Read again on reload.",
                 .example = "users.htpasswd"});
  }
};

enum class OnFailure : uint8_t { deny, allow };
constexpr std::array<std::string_view, 2> enum_names(OnFailure) { return {"deny", "allow"}; }

// Another service is asked.
struct ExternalConfig {
  std::string service;
  std::string path = "/";
  std::vector<FieldName> forward = {{"authorization"}, {"cookie"}};
  std::vector<FieldName> copy;
  std::optional<FieldName> user;
  Duration timeout = 1s;
  OnFailure on_failure = OnFailure::deny;

  template <class Visitor>
  static void describe(Visitor& visit);
};

// The ways to tell who a caller is; routes say which of them they take.
struct AuthConfig {
  std::optional<JwtConfig> jwt;
  std::optional<ApiKeysConfig> api_keys;
  std::optional<BasicConfig> basic;
  std::optional<ExternalConfig> external;

  bool is_used() const { return jwt || api_keys || basic || external; }

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("jwt", &AuthConfig::jwt, {.doc = "Tokens that an issuer signed: `auth: jwt`."});
    visit.field("api_keys", &AuthConfig::api_keys,
                {.doc = "Keys given to callers: `auth: api_key`."});
    visit.field("basic", &AuthConfig::basic, {.doc = "Users and passwords: `auth: basic`."});
    visit.field("external", &AuthConfig::external,
                {.doc = "A service that is asked for each request: `auth: external`."});
  }
};

template <class Visitor>
void ExternalConfig::describe(Visitor& visit) {
  visit.field("service", &ExternalConfig::service,
              {.doc = "Which service is asked: a name under `services`.",
               .required = true,
               .example = "accounts"});
  visit.field("path", &ExternalConfig::path,
              {.doc = "The path of the question, a GET without a body. The request's own method, "
                      "scheme, host and path go in X-Forwarded-Method, -Proto, -Host and -Uri.",
               .example = "/check"});
  visit.field("forward", &ExternalConfig::forward,
              {.doc = "Headers of the request that the question has too.",
               .example = "[authorization, cookie]"});
  visit.field("copy", &ExternalConfig::copy,
              {.doc = "Headers of the answer that the request is given on its way to its service. "
                      "What a client sends in them is removed.",
               .example = "[x-user, x-role]"});
  visit.field("user", &ExternalConfig::user,
              {.doc = "The header of the answer that names the user, for limits and logs.",
               .example = "x-user"});
  visit.field("timeout", &ExternalConfig::timeout,
              {.doc = "How long the answer may take. Any 2xx lets the request pass, 401 and 403 go "
                      "to the client, all else is a failure.",
               .minimum = 0.001,
               .maximum = 60,
               .unit = "s",
               .raising = "Requests wait for longer when the service is slow."});
  visit.field("on_failure", &ExternalConfig::on_failure,
              {.doc = "When it cannot be asked: `deny` answers 503, `allow` lets the request pass "
                      "as nobody's."});
}

}  // namespace spillway::identity
