// plan/validate_auth_test.cc: `auth` as people write it, and what is said when it cannot work.
#include "plan/validate_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/loader.h"

namespace spillway::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

LoadResult load(const std::string& text, const std::string& more_of_web = "") {
  const Surroundings surroundings{
      .variable = [](std::string_view name) -> std::optional<std::string> {
        if (name == "SECRET") return std::string(32, 's');
        if (name == "SHORT") return "hunter2";
        return std::nullopt;
      },
      .read_file = [](const std::string& path) -> Result<std::string> {
        return fail(Error::Code::not_found, path);
      }};
  return load_text("services: { web: { endpoints: [127.0.0.1:1]" + more_of_web + " } }\n" + text,
                   "p.yaml", surroundings);
}

std::string lines(const std::vector<Problem>& problems) {
  std::string result;
  for (const Problem& problem : problems) result += to_string(problem) + "\n";
  return result;
}

TEST(AuthPlan, is_read_as_people_write_it) {
  const auto result = load(R"(
auth:
  jwt:
    keys: [{ hs256: "${SECRET}" }, { file: public.pem, kid: x, algorithm: RS256 }]
    jwks: http://login.internal/jwks
    issuer: https://login.example/
    audience: shop
    from: [header:authorization, cookie:session]
    user: email
    claims: { role: X-User-Role, realm_access.roles: x-roles }
  api_keys: { keys: { partner: 2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683 } }
  basic: { realm: shop, file: users }
  external: { service: web, path: /check, copy: [x-user], user: x-user, on_failure: allow }
routes:
  - { path: /a/*, auth: jwt, require: { role: admin } }
  - { path: /b/*, auth: [jwt, api_key, basic, external] }
)");
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_THAT(lines(result.warnings), IsEmpty());
  const identity::AuthConfig& auth = result.plan->auth;
  EXPECT_EQ(auth.jwt->jwks->url, "http://login.internal/jwks");
  EXPECT_THAT(auth.jwt->audience, ElementsAre("shop"));
  EXPECT_EQ(auth.jwt->claims.at("role").text, "x-user-role");
  EXPECT_EQ(auth.jwt->from.size(), 2U);
  EXPECT_EQ(auth.api_keys->header.text, "x-api-key");
  EXPECT_EQ(auth.external->on_failure, identity::OnFailure::allow);
  using gateway::AuthMethod;
  EXPECT_THAT(result.plan->routes[0].callers.auth, ElementsAre(AuthMethod::jwt));
  EXPECT_THAT(
      result.plan->routes[1].callers.auth,
      ElementsAre(AuthMethod::jwt, AuthMethod::api_key, AuthMethod::basic, AuthMethod::external));
}

TEST(AuthPlan, is_refused_where_it_cannot_work) {
  const std::string key = "keys: [{ hs256: \"${SECRET}\" }]";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"auth: { jwt: {} }", "auth.jwt: has neither `keys"},
      {"auth: { jwt: { keys: [{}] } }", "auth.jwt.keys[0]: expected one of `hs256`"},
      {"auth: { jwt: { keys: [{ hs256: \"${SECRET}\", file: x }] } }", "expected one of `hs256`"},
      {"auth: { jwt: { keys: [{ hs256: \"${SHORT}\" }] } }",
       "auth.jwt.keys[0].hs256: is a secret of 7 bytes; expected 32 or more"},
      {"auth: { jwt: { keys: [{ hs512: \"${SECRET}\" }] } }", "expected 64 or more"},
      {"auth: { jwt: { keys: [{ hs256: \"${SECRET}\", algorithm: HS256 }] } }",
       "is for keys in a `file`"},
      {"auth: { jwt: { jwks: { url: http://a.example/, ca: x.pem } } }", "is for https alone"},
      {"auth: { jwt: { jwks: a.example } }", "is not a URL"},
      {"auth: { jwt: { " + key + ", from: query:token } }", "is no place of a token"},
      {"auth: { jwt: { " + key + ", from: [] } }", "auth.jwt.from: is empty"},
      {"auth: { jwt: { " + key + ", realm: 'a\"b' } }", "auth.jwt.realm: has a quote"},
      {"auth: { jwt: { " + key + ", claims: { a: x-a, b: X-A } } }", "as another claim does"},
      {"auth: { jwt: { " + key + ", claims: { a: authorization } } }", "would replace"},
      {"auth: { jwt: { " + key + ", claims: { a: host } } }", "frames or routes a message"},
      {"auth: { api_keys: { keys: {} } }", "auth.api_keys.keys: is empty"},
      {"auth: { api_keys: { keys: { a: b } } }", "auth.api_keys.keys.a: "},
      {"auth: { basic: {} }", "auth.basic: has neither `users"},
      {"auth: { external: { service: nobody } }", "\"nobody\" is not a service; known: "},
      {"auth: { external: { service: web, path: check } }", "is not a path such as /check"},
      {"routes: [{ path: /a, auth: jwt }]", "routes[0].auth[0]: jwt needs `auth.jwt`"},
      {"routes: [{ path: /a, auth: api_key }]", "needs `auth.api_keys`"},
      {"routes: [{ path: /a, auth: [] }]", "routes[0].auth: is empty"},
      {"routes: [{ path: /a, auth: oauth }]", "routes[0].auth[0]: "},
      {"routes: [{ path: /a, require: { role: a } }]", "which only `auth: jwt` brings"},
      {"auth: { jwt: { " + key +
           " }, basic: { file: x } }\n"
           "routes: [{ path: /a, auth: [jwt, basic], require: { role: a } }]",
       "which only `auth: jwt` brings"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(lines(load(text).errors), HasSubstr(words)) << text;
  }
}

TEST(AuthPlan, asks_no_service_that_it_cannot_talk_to) {
  const std::string text = "auth: { external: { service: web } }\nroutes: [{ auth: external }]";
  EXPECT_THAT(lines(load(text).errors), IsEmpty());
  EXPECT_THAT(lines(load(text, ", protocol: http2").errors),
              HasSubstr("auth.external.service: \"web\" speaks HTTP/2"));
}

TEST(AuthPlan, is_warned_of_what_nobody_asks_for) {
  const auto result = load("auth: { jwt: { keys: [{ hs256: \"${SECRET}\" }] } }");
  EXPECT_THAT(lines(result.errors), IsEmpty());
  EXPECT_THAT(lines(result.warnings), HasSubstr("auth.jwt: no route asks for it"));
  EXPECT_THAT(lines(load("auth: { jwt: { jwks: http://a/ } }\nroutes: [{ auth: jwt }]").warnings),
              HasSubstr("names no `audience`"));
}

TEST(AuthPlan, never_shows_a_secret) {
  const auto result = load(
      "auth: { jwt: { keys: [{ hs256: hunter2 }] }, "
      "api_keys: { keys: { a: hunter2 } }, basic: { users: { a: [hunter2] } } }");
  EXPECT_FALSE(result.plan);
  EXPECT_THAT(lines(result.errors), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace spillway::plan
