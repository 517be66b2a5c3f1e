// gateway/filters/authentication_test.cc: who passes, what services are told, and what others hear.
#include "gateway/filters/authentication.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"
#include "identity/plan_keys.h"
#include "identity/token_testing.h"
#include "telemetry/prometheus_text.h"

namespace spillway::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr std::string_view year_2100 = "4102444800";
// Of "secret"; and bcrypt of "correct horse".
constexpr const char* plain_hash =
    "{SHA256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
constexpr const char* slow_hash = "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";

std::string token(std::string_view claims = R"("sub":"anna","role":"admin")") {
  return identity::testing::hs256_token(secret,
                                        fmt::format(R"({{"exp":{},{}}})", year_2100, claims));
}

class AuthenticationTest : public GatewayTest {
 protected:
  AuthenticationTest() { endpoints = {upstream_listener.address()}; }

  // The plan's `auth`, before the first request.
  void use(const identity::AuthConfig& auth) {
    auto rules = std::make_shared<IdentityRules>();
    rules->config = auth;
    const auto no_file = [](const std::string&) { return fail(Error::Code::not_found, ""); };
    if (auth.jwt) {
      rules->keys = *identity::make_keys(*auth.jwt, no_file);
      rules->policy = *identity::make_policy(*auth.jwt);
    }
    if (auth.api_keys) {
      rules->api_keys = *identity::ApiKeys::make(auth.api_keys->keys, rules->secret);
    }
    if (auth.basic) rules->users = *identity::BasicUsers::make(auth.basic->users);
    if (rules->users.has_slow()) rules->pool = &pool;
    rules->awaits_keys = awaits_keys;
    identity = rules;
    if (!auth.external) return;
    authority = std::make_shared<Service>("authority", config);
    std::vector<upstream::EndpointSpec> specs = {
        {.name = "authority", .address = authority_listener.address(), .is_proven = true}};
    authority->with([&](ServiceState& state) { state.cluster.set_endpoints(specs, loop.now()); });
  }
  static identity::AuthConfig jwt() {
    return {.jwt = identity::JwtConfig{.keys = {{.hs256 = std::string(secret)}},
                                       .claims = {{"role", {"x-user-role"}}}}};
  }

  static std::string request(std::string_view fields) {
    return fmt::format("GET /a HTTP/1.1\r\nHost: shop\r\n{}\r\n", fields);
  }
  static std::string with_token(std::string_view text, std::string_view more = "") {
    return request(fmt::format("Authorization: Bearer {}\r\n{}", text, more));
  }
  // The head that the service sees; the request is answered with 200.
  std::string passed(std::string_view bytes) {
    runtime::Peer from = connect();
    from.send(bytes);
    runtime::Peer upstream = upstream_listener.accept();
    const std::string head = upstream.take_head();
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 200"));
    return head;
  }
  // All that a caller hears without the service being asked.
  std::string refused(std::string_view bytes) {
    runtime::Peer from = connect();
    from.send(bytes);
    std::string answer = from.take_head();
    return answer;
  }
  std::string metrics() { return telemetry::prometheus_text(registry.snapshot()); }

  runtime::PeerListener upstream_listener{loop};
  runtime::PeerListener authority_listener{loop};
  runtime::BlockingPool pool{{.threads = 1}};
  bool awaits_keys = false;
};

TEST_F(AuthenticationTest, lets_a_good_token_pass_and_tells_the_service_of_it) {
  use(jwt());
  route.callers.auth = {AuthMethod::jwt};
  made().set_access_log(&log);
  const std::string head = passed(with_token(token()));
  EXPECT_THAT(head, HasSubstr("x-user-role: admin\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization: Bearer "));
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return !log.lines.empty(); }));
  EXPECT_THAT(log.lines[0], HasSubstr(R"("user":"anna")"));
  EXPECT_THAT(metrics(), HasSubstr(R"(spillway_auth_total{method="jwt",verdict="verified"} 1)"));
}

TEST_F(AuthenticationTest, answers_401_without_a_token_and_names_no_fault) {
  use(jwt());
  route.callers.auth = {AuthMethod::jwt};
  for (const char* fields : {"", "Authorization: Basic YTpi\r\n", "Authorization: Bearer\r\n",
                             "Authorization: Bearer \r\n"}) {
    const std::string answer = refused(request(fields));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401")) << fields;
    EXPECT_THAT(answer, HasSubstr("www-authenticate: Bearer realm=\"spillway\"\r\n"));
  }
  // Two fields are no proof, though each is good.
  EXPECT_THAT(refused(with_token(token(), "Authorization: Bearer " + token() + "\r\n")),
              StartsWith("HTTP/1.1 401"));
}

TEST_F(AuthenticationTest, answers_401_for_a_bad_token_and_says_why) {
  use(jwt());
  route.callers.auth = {AuthMethod::jwt};
  const std::string forged = identity::testing::hs256_token(std::string(32, 'x'), "{}");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"x", "the token is not a well-formed JWT"},
      {forged, "the token's signature does not verify"},
      {identity::testing::hs256_token(secret, R"({"exp":1})"), "the token has expired"},
      {identity::testing::hs256_token(secret, R"({"sub":"a"})"), "the token lacks a claim"},
      {"eyJhbGciOiJub25lIn0.e30.", "the token's algorithm is not accepted here"},
      {token(R"("role":"a\r\nx-admin: 1")"), "the token's claims are not well-formed"},
  };
  for (const auto& [text, words] : cases) {
    const std::string answer = refused(with_token(text));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(answer, HasSubstr("error=\"invalid_token\", error_description=\"" + words));
  }
  EXPECT_THAT(metrics(), HasSubstr(R"(spillway_auth_total{method="jwt",verdict="expired"} 1)"));
  EXPECT_EQ(keys_wanted, 0);
}

TEST_F(AuthenticationTest, answers_403_if_a_claim_is_not_what_the_route_requires) {
  use(jwt());
  route.callers.auth = {AuthMethod::jwt};
  route.callers.require = {{"role", "admin"}};
  passed(with_token(token()));
  passed(with_token(token(R"("role":["user","admin"])")));
  for (const char* claims : {R"("role":"user")", R"("sub":"admin")"}) {
    const std::string answer = refused(with_token(token(claims)));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
    EXPECT_THAT(answer, HasSubstr("error=\"insufficient_scope\""));
  }
}

TEST_F(AuthenticationTest, removes_its_headers_from_what_clients_send_on_every_route) {
  use(jwt());
  const std::string lies = "X-User-Role: root\r\nx_user_role: root\r\nX-User-Roles: mine\r\n";
  const std::string open = passed(request(lies));  // A route that asks for nothing.
  EXPECT_THAT(open, Not(HasSubstr("root")));
  EXPECT_THAT(open, HasSubstr("X-User-Roles: mine\r\n"));
  gateway.reset();
  route.callers.auth = {AuthMethod::jwt};
  const std::string head = passed(with_token(token(), lies));
  EXPECT_THAT(head, Not(HasSubstr("root")));
  EXPECT_THAT(head, HasSubstr("x-user-role: admin\r\n"));
  EXPECT_THAT(passed(with_token(token(R"("sub":"ben")"), lies)), Not(HasSubstr("root")));
}

TEST_F(AuthenticationTest, finds_a_token_where_the_plan_says) {
  identity::AuthConfig config = jwt();
  config.jwt->from = {*identity::TokenSource::parse("header:x-token"),
                      *identity::TokenSource::parse("cookie:session")};
  use(config);
  route.callers.auth = {AuthMethod::jwt};
  passed(request("X-Token: " + token() + "\r\n"));
  passed(request("X-Token: Bearer " + token() + "\r\n"));
  passed(request("Cookie: a=b; session=" + token() + "\r\n"));
  EXPECT_THAT(refused(with_token(token())), StartsWith("HTTP/1.1 401"));
}

TEST_F(AuthenticationTest, asks_for_keys_when_a_token_names_one_that_is_not_here) {
  identity::AuthConfig config = jwt();
  config.jwt->keys[0].kid = "old";
  use(config);
  route.callers.auth = {AuthMethod::jwt};
  const std::string unknown = identity::testing::hmac_token(
      secret, R"({"alg":"HS256","kid":"new"})", R"({"exp":4102444800})");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(refused(with_token(unknown)), HasSubstr("a key that is not known here"));
  }
  EXPECT_EQ(keys_wanted, 1);
  gateway.reset();
  awaits_keys = true;
  use(config);
  EXPECT_THAT(refused(with_token(unknown)), StartsWith("HTTP/1.1 503"));
}

TEST_F(AuthenticationTest, knows_callers_by_their_keys_and_keeps_the_key_to_itself) {
  use({.api_keys = identity::ApiKeysConfig{
           .keys = {{"partner", *identity::KeyDigest::parse(
                                    "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b"
                                    "683")}}}});
  route.callers.auth = {AuthMethod::api_key};
  made().set_access_log(&log);
  const std::string head = passed(request("X-Api-Key: key\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Api-Key")));
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return !log.lines.empty(); }));
  EXPECT_THAT(log.lines.back(), HasSubstr(R"("user":"partner")"));
  for (const char* fields : {"", "X-Api-Key: kez\r\n", "X-Api-Key: \r\n"}) {
    EXPECT_THAT(refused(request(fields)),
                HasSubstr("www-authenticate: ApiKey header=\"x-api-key\"\r\n"));
  }
}

TEST_F(AuthenticationTest, no_service_sees_a_key_whatever_it_is_worth) {
  auto config = jwt();
  config.api_keys = identity::ApiKeysConfig{};
  use(config);
  route.callers.auth = {AuthMethod::jwt, AuthMethod::api_key};
  for (const char* name : {"X-Api-Key", "x_api_key"}) {
    const std::string head = passed(with_token(token(), fmt::format("{}: key\r\n", name)));
    EXPECT_THAT(head, Not(HasSubstr("key"))) << name;
  }
}

// Some services take trailers for headers.
TEST_F(AuthenticationTest, nobody_proves_anything_by_trailers) {
  use(jwt());
  runtime::Peer from = connect();
  from.send(
      "POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
      "X-User-Role: root\r\nX_User_Role: root\r\nX-Sum: 0\r\n\r\n");
  runtime::Peer upstream = upstream_listener.accept();
  EXPECT_THAT(upstream.take_through("X-Sum: 0\r\n\r\n"), Not(HasSubstr("root")));
}

TEST_F(AuthenticationTest, knows_users_by_their_passwords) {
  use({.basic = identity::BasicConfig{.realm = "shop", .users = {{"ben", plain_hash}}}});
  route.callers.auth = {AuthMethod::basic};
  passed(request("Authorization: Basic YmVuOnNlY3JldA==\r\n"));
  passed(request("authorization: basic YmVuOnNlY3JldA==\r\n"));
  for (const char* fields :
       {"", "Authorization: Basic YmVuOnNlY3JldB==\r\n", "Authorization: Basic bm9ib2R5Og==\r\n",
        "Authorization: Basic ****\r\n", "Authorization: Bearer YmVuOnNlY3JldA==\r\n"}) {
    EXPECT_THAT(refused(request(fields)),
                HasSubstr("www-authenticate: Basic realm=\"shop\", charset=\"UTF-8\"\r\n"));
  }
}

TEST_F(AuthenticationTest, hashes_a_slow_password_elsewhere_and_only_once) {
  use({.basic = identity::BasicConfig{.users = {{"anna", slow_hash}, {"ben", plain_hash}}}});
  route.callers.auth = {AuthMethod::basic};
  made().set_access_log(&log);
  const std::string good = request("Authorization: Basic YW5uYTpjb3JyZWN0IGhvcnNl\r\n");
  passed(good);
  passed(good);
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return log.lines.size() == 2; }));
  EXPECT_THAT(log.lines.back(), HasSubstr(R"("user":"anna")"));
  EXPECT_THAT(refused(request("Authorization: Basic YW5uYTp3cm9uZw==\r\n")),
              StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(refused(request("Authorization: Basic YmVuOndyb25n\r\n")),  // A fast one, wrong.
              StartsWith("HTTP/1.1 401"));
  passed(request("Authorization: Basic YmVuOnNlY3JldA==\r\n"));
}

TEST_F(AuthenticationTest, takes_any_of_the_ways_that_the_route_names) {
  identity::AuthConfig config = jwt();
  config.basic = identity::BasicConfig{.users = {{"anna", slow_hash}}};
  use(config);
  route.callers.auth = {AuthMethod::jwt, AuthMethod::basic};
  passed(with_token(token()));
  passed(request("Authorization: Basic YW5uYTpjb3JyZWN0IGhvcnNl\r\n"));
  const std::string answer = refused(request(""));
  EXPECT_THAT(answer, HasSubstr("www-authenticate: Bearer"));
  EXPECT_THAT(answer, HasSubstr("www-authenticate: Basic"));
}

class ExternalTest : public AuthenticationTest {
 protected:
  ExternalTest() {
    external.service = "authority";
    external.path = "/check";
    external.copy = {{"x-role"}, {"x-none"}};
    external.user = identity::FieldName{"x-user"};
    route.callers.auth = {AuthMethod::external};
  }
  // Sends `bytes` and answers the question; what was asked.
  std::string asked(runtime::Peer& from, std::string_view bytes, std::string_view answer) {
    from.send(bytes);
    runtime::Peer authority_peer = authority_listener.accept();
    const std::string question = authority_peer.take_head();
    authority_peer.send(answer);
    EXPECT_TRUE(authority_peer.sees_end());
    return question;
  }
  runtime::Peer connect_with_rules() {
    use({.external = external});
    return connect();
  }
  identity::ExternalConfig external;
};

TEST_F(ExternalTest, asks_a_service_and_tells_the_next_what_it_said) {
  use({.external = external});
  made().set_access_log(&log);
  runtime::Peer from = connect();
  const std::string question = asked(
      from,
      "POST /a/./b?c=d HTTP/1.1\r\nHost: shop\r\nCookie: s=1\r\nX-Role: root\r\n"
      "X-Other: 1\r\nContent-Length: 2\r\n\r\nhi",
      "HTTP/1.1 204 No Content\r\nX-Role: clerk\r\nX-User: carl\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(question, StartsWith("GET /check HTTP/1.1\r\n"));
  EXPECT_THAT(question, HasSubstr("cookie: s=1\r\n"));
  EXPECT_THAT(question, HasSubstr("x-forwarded-method: POST\r\n"));
  EXPECT_THAT(question, HasSubstr("x-forwarded-uri: /a/b?c=d\r\n"));
  EXPECT_THAT(question, HasSubstr("x-forwarded-host: shop\r\n"));
  EXPECT_THAT(question, HasSubstr("x-forwarded-for: 192.0.2.7\r\n"));
  EXPECT_THAT(question, Not(HasSubstr("ther")));
  EXPECT_THAT(question, Not(HasSubstr("root")));
  runtime::Peer upstream = upstream_listener.accept();
  const std::string head = upstream.take_head();
  EXPECT_THAT(head, HasSubstr("x-role: clerk\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("root")));
  EXPECT_EQ(upstream.take_bytes(2), "hi");
  upstream.send(ok);
  EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 200"));
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return !log.lines.empty(); }));
  EXPECT_THAT(log.lines.back(), HasSubstr(R"("user":"carl")"));
}

TEST_F(ExternalTest, asks_only_for_callers_who_prove_nothing_themselves) {
  identity::AuthConfig config{.external = external};
  config.basic = identity::BasicConfig{.users = {{"anna", slow_hash}}};
  use(config);
  route.callers.auth = {AuthMethod::external, AuthMethod::basic};
  passed(request("Authorization: Basic YW5uYTpjb3JyZWN0IGhvcnNl\r\n"));
  runtime::Peer from = connect();
  const std::string question =
      asked(from, request("Authorization: Basic YW5uYTp3cm9uZw==\r\n"),
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(question, HasSubstr("authorization: Basic YW5uYTp3cm9uZw==\r\n"));
  EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 403"));
}

TEST_F(ExternalTest, passes_a_refusal_on) {
  runtime::Peer from = connect_with_rules();
  asked(from, get,
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"x\"\r\n"
        "Content-Type: text/x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nlogin");
  const std::string head = from.take_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(head, HasSubstr("www-authenticate: Bearer realm=\"x\"\r\n"));
  EXPECT_THAT(head, HasSubstr("content-type: text/x\r\n"));
  EXPECT_EQ(from.take_bytes(5), "login");
}

TEST_F(ExternalTest, answers_503_when_nobody_can_tell) {
  runtime::Peer from = connect_with_rules();
  asked(from, get, "HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 503"));
  runtime::Peer second = connect();
  asked(second, get, "nonsense\r\n\r\n");
  EXPECT_THAT(second.take_head(), StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(metrics(), HasSubstr(R"(spillway_auth_total{method="external",verdict="failed"} 2)"));
}

TEST_F(ExternalTest, answers_503_when_the_answer_takes_too_long) {
  external.timeout = 20ms;
  runtime::Peer from = connect_with_rules();
  from.send(get);
  runtime::Peer silent = authority_listener.accept();
  EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 503"));
}

TEST_F(ExternalTest, lets_pass_when_nobody_can_tell_if_the_plan_says_so) {
  external.on_failure = identity::OnFailure::allow;
  runtime::Peer from = connect_with_rules();
  asked(from, get, "HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  runtime::Peer upstream = upstream_listener.accept();
  upstream.take_head();
  upstream.send(ok);
  EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ExternalTest, forgets_a_question_whose_client_has_left) {
  runtime::Peer from = connect_with_rules();
  from.send(get);
  runtime::Peer silent = authority_listener.accept();
  silent.take_head();
  from.close();
  EXPECT_TRUE(silent.sees_end());
}

TEST_F(ExternalTest, asks_again_on_a_new_connection_if_the_kept_one_has_died) {
  runtime::Peer from = connect_with_rules();
  from.send(get);
  runtime::Peer kept = authority_listener.accept();
  kept.take_head();
  kept.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(from.take_head(), StartsWith("HTTP/1.1 403"));
  from.send(get);
  kept.take_head();  // The same connection.
  kept.close();
  runtime::Peer fresh = authority_listener.accept();
  fresh.take_head();
  fresh.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(from.sees("HTTP/1.1 401"));
}

}  // namespace
}  // namespace spillway::gateway
