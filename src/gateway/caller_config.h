// gateway/caller_config.h: who may send a route its requests.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "base/one_or_more.h"

namespace spillway::gateway {

// A way to tell who a caller is; `auth` of the plan says how each is done.
enum class AuthMethod : uint8_t { jwt, api_key, basic, external };
constexpr std::array<std::string_view, 4> enum_names(AuthMethod) {
  return {"jwt", "api_key", "basic", "external"};
}

// Of one route.
struct CallerConfig {
  OneOrMore<AuthMethod> auth;
  std::map<std::string, std::string> require;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field(
        "auth", &CallerConfig::auth,
        {.doc = "Only callers who prove who they are, in one of these ways, which `auth` at "
                "the top level describes: jwt, api_key, basic, external. Others are answered "
                "401. Everybody if absent.",
         .example = "jwt"});
    visit.field(
        "require", &CallerConfig::require,
        {.doc = "Claims that the caller's token must have, or have among others in a list or "
                "in text with blanks. Without one: 403. Needs `auth: jwt`.",
         .example = "{ role: admin }"});
  }
};

}  // namespace spillway::gateway
