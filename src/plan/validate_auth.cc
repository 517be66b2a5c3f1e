// plan/validate_auth.cc: keys that are none, names that dangle, demands that nothing can meet.
#include "plan/validate_auth.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/token.h"
#include "plan/names.h"

namespace spillway::plan {
namespace {

using gateway::AuthMethod;
using gateway::RouteConfig;
using identity::FieldName;

std::string_view name_of(AuthMethod method) {
  return enum_names(method)[static_cast<size_t>(method)];
}

// One pass. Used once.
class AuthChecker {
 public:
  AuthChecker(const Plan& plan, const Origins& origins, Findings& findings)
      : plan_(plan), origins_(origins), findings_(findings) {}

  void check() {
    if (plan_.auth.jwt) check_jwt(*plan_.auth.jwt);
    if (plan_.auth.api_keys && plan_.auth.api_keys->keys.empty()) {
      error("auth.api_keys.keys", "is empty; expected a digest for each caller's name");
    }
    const auto& basic = plan_.auth.basic;
    if (basic) check_realm("auth.basic.realm", basic->realm);
    if (basic && basic->users.empty() && !basic->file) {
      error("auth.basic", "has neither `users: { anna: $2y$... }` nor `file: users.htpasswd`");
    }
    if (plan_.auth.external) check_external(*plan_.auth.external);
    for (size_t i = 0; i < plan_.routes.size(); ++i) check_route(i);
    check_unused();
  }

 private:
  void error(const std::string& path, std::string message) {
    findings_.errors.push_back({origins_.place(path), path, std::move(message)});
  }
  void warn(const std::string& path, std::string message) {
    findings_.warnings.push_back({origins_.place(path), path, std::move(message)});
  }

  void check_jwt(const identity::JwtConfig& jwt);
  void check_key(const std::string& path, const identity::JwtKeyConfig& key);
  void check_realm(const std::string& path, std::string_view realm);
  void check_external(const identity::ExternalConfig& external);
  void check_route(size_t index);
  void check_unused();
  bool is_there(AuthMethod method) const;

  const Plan& plan_;
  const Origins& origins_;
  Findings& findings_;
};

void AuthChecker::check_jwt(const identity::JwtConfig& jwt) {
  if (jwt.keys.empty() && !jwt.jwks) {
    error("auth.jwt", "has neither `keys: [{ hs256: \"${JWT_SECRET}\" }]` nor `jwks: URL`");
  }
  for (size_t i = 0; i < jwt.keys.size(); ++i) {
    check_key(item_path("auth.jwt.keys", i), jwt.keys[i]);
  }
  if (jwt.jwks && jwt.jwks->ca && !jwt.jwks->url.starts_with("https:")) {
    error("auth.jwt.jwks.ca", "is for https alone; the URL is http");
  }
  if (jwt.from.empty()) error("auth.jwt.from", "is empty; expected at least one place");
  if (jwt.jwks && jwt.audience.empty()) {
    warn("auth.jwt", "names no `audience`: tokens that the issuer made for others are taken too");
  }
  check_realm("auth.jwt.realm", jwt.realm);
  std::set<FieldName> seen;
  for (const auto& [claim, header] : jwt.claims) {
    const std::string path = child_path("auth.jwt.claims", claim);
    if (!seen.insert(header).second) {
      error(path, fmt::format("goes into {}, as another claim does", in_quotes(header.text)));
    }
    if (header.text == "authorization" || header.text == "cookie") {
      error(path, "would replace what the caller sent to be believed");
    }
  }
}

void AuthChecker::check_key(const std::string& path, const identity::JwtKeyConfig& key) {
  const auto length = [&](std::string_view name, const std::optional<std::string>& secret,
                          size_t least) {
    if (!secret || secret->size() >= least || (key.allow_short && !secret->empty())) return;
    error(fmt::format("{}.{}", path, name),
          fmt::format("is a secret of {} bytes; expected {} or more (RFC 7518 section 3.2), or "
                      "`allow_short: true` for an issuer that cannot be changed",
                      secret->size(), least));
  };
  length("hs256", key.hs256, 32);
  length("hs384", key.hs384, 48);
  length("hs512", key.hs512, 64);
  const int given =
      (key.hs256 ? 1 : 0) + (key.hs384 ? 1 : 0) + (key.hs512 ? 1 : 0) + (key.file ? 1 : 0);
  if (given != 1) error(path, "expected one of `hs256`, `hs384`, `hs512` and `file`");
  if (!key.algorithm.empty() && !key.file) {
    error(path + ".algorithm", "is for keys in a `file`; a secret's algorithm is its name");
  }
}

// It is written between quotes (RFC 9110 section 11.5).
void AuthChecker::check_realm(const std::string& path, std::string_view realm) {
  const bool is_plain = std::ranges::all_of(
      realm, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
  if (!is_plain) error(path, "has a quote, a backslash, or a letter that is not of ASCII");
}

void AuthChecker::check_external(const identity::ExternalConfig& external) {
  if (!is_origin_form(external.path)) {
    error("auth.external.path", "is not a path such as /check");
  }
  if (plan_.services.empty()) return;
  if (const auto found = plan_.services.find(external.service); found != plan_.services.end()) {
    // Asked in HTTP/1 it would fail each time, and let everybody in where `on_failure` says so.
    if (found->second.cluster.protocol != upstream::UpstreamProtocol::http2) return;
    return error("auth.external.service",
                 fmt::format("{} speaks HTTP/2, and questions are asked in HTTP/1 in this version; "
                             "expected a service with `protocol: http1`",
                             origins_.shown("auth.external.service", external.service)));
  }
  if (!origins_.has("auth.external.service")) return;  // Reported already.
  std::vector<std::string_view> known;
  for (const auto& [name, service] : plan_.services) known.push_back(name);
  error("auth.external.service",
        fmt::format("{} is not a service; known: {}",
                    origins_.shown("auth.external.service", external.service), listed(known)));
}

bool AuthChecker::is_there(AuthMethod method) const {
  switch (method) {
    case AuthMethod::jwt: return plan_.auth.jwt.has_value();
    case AuthMethod::api_key: return plan_.auth.api_keys.has_value();
    case AuthMethod::basic: return plan_.auth.basic.has_value();
    case AuthMethod::external: return plan_.auth.external.has_value();
  }
  return false;
}

void AuthChecker::check_route(size_t index) {
  const RouteConfig& route = plan_.routes[index];
  const std::string path = item_path("routes", index);
  if (route.callers.auth.empty() && origins_.has(path + ".auth")) {
    error(path + ".auth", "is empty; leave it out, or name at least one way");
  }
  for (size_t i = 0; i < route.callers.auth.size(); ++i) {
    if (is_there(route.callers.auth[i])) continue;
    const bool is_key = route.callers.auth[i] == AuthMethod::api_key;
    error(item_path(path + ".auth", i),
          fmt::format("{} needs `auth.{}` at the top level, which says how",
                      name_of(route.callers.auth[i]),
                      is_key ? "api_keys" : name_of(route.callers.auth[i])));
  }
  const bool has_tokens_alone =
      route.callers.auth.size() == 1 && route.callers.auth.front() == AuthMethod::jwt;
  if (!route.callers.require.empty() && !has_tokens_alone) {
    error(path + ".require", "asks for claims, which only `auth: jwt` brings");
  }
}

void AuthChecker::check_unused() {
  for (const AuthMethod method :
       {AuthMethod::jwt, AuthMethod::api_key, AuthMethod::basic, AuthMethod::external}) {
    const bool is_used = std::ranges::any_of(plan_.routes, [method](const RouteConfig& route) {
      return std::ranges::find(route.callers.auth, method) != route.callers.auth.end();
    });
    if (!is_there(method) || is_used) continue;
    const std::string path =
        fmt::format("auth.{}", method == AuthMethod::api_key ? "api_keys" : name_of(method));
    warn(path, fmt::format("no route asks for it: write `auth: {}` at those that should",
                           name_of(method)));
  }
}

}  // namespace

void check_auth(const Plan& plan, const Origins& origins, Findings& findings) {
  AuthChecker(plan, origins, findings).check();
}

}  // namespace spillway::plan
