// identity/plan_keys_test.cc: keys, rules and users as a plan gives them.
#include "identity/plan_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

using ::testing::HasSubstr;

const std::string secret(32, 's');

Result<std::string> no_file(const std::string& path) {
  return fail(Error::Code::not_found, path + ": No such file or directory");
}

Result<std::string> a_file(const std::string& path) {
  if (path == "key.json") {
    return R"({"kty":"OKP","crv":"Ed25519","kid":"e",)"
           R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
  }
  return "anna:{SHA256}" + std::string(64, '0') + "\n";
}

std::string words_of(const auto& result) {
  return result.has_value() ? "(taken)" : result.error().detail;
}

TEST(PlanKeys, come_from_secrets_and_files) {
  const JwtConfig config{
      .keys = {{.hs256 = secret, .kid = "a"}, {.hs512 = secret + secret}, {.file = "key.json"}}};
  const auto keys = make_keys(config, a_file);
  ASSERT_TRUE(keys.has_value()) << keys.error().detail;
  ASSERT_EQ(keys->keys().size(), 3U);
  EXPECT_EQ(keys->keys()[0]->id(), "a");
  EXPECT_EQ(keys->keys()[1]->algorithms(), AlgorithmSet{Algorithm::hs512});
  EXPECT_EQ(keys->keys()[2]->id(), "e");
}

TEST(PlanKeys, are_refused_with_their_number_and_without_the_secret) {
  const auto words = [](JwtKeyConfig key) {
    return words_of(make_keys({.keys = {{.hs256 = secret}, std::move(key)}}, no_file));
  };
  EXPECT_THAT(words({}), HasSubstr("key 2: expected one of hs256, hs384, hs512 and file"));
  EXPECT_THAT(words({.hs256 = secret, .file = "x"}), HasSubstr("expected one of"));
  EXPECT_THAT(words({.hs256 = "hunter2"}), HasSubstr("a secret of 7 bytes"));
  EXPECT_THAT(words({.hs256 = "hunter2"}), Not(HasSubstr("hunter2")));
  EXPECT_EQ(words({.hs256 = "hunter2", .allow_short = true}), "(taken)");
  EXPECT_THAT(words({.file = "x.pem"}), HasSubstr("x.pem: No such file"));
  EXPECT_THAT(words({.file = "x.pem", .algorithm = "RSA"}), HasSubstr("\"RSA\" is not an algo"));
  EXPECT_THAT(words_of(make_keys({.keys = {{.file = "users"}}}, a_file)),
              HasSubstr("users: neither JSON nor"));
}

TEST(PlanKeys, make_the_rules_of_a_token) {
  const auto policy = make_policy({.issuer = "i",
                                   .audience = {"a", "b"},
                                   .type = "at+jwt",
                                   .algorithms = {"ES256", "EdDSA"},
                                   .leeway = 3s});
  ASSERT_TRUE(policy.has_value());
  EXPECT_EQ(policy->issuers, std::vector<std::string>{"i"});
  EXPECT_EQ(policy->audiences.size(), 2U);
  EXPECT_EQ(policy->required, std::vector<std::string>{"exp"});
  const AlgorithmSet expected{Algorithm::es256, Algorithm::ed25519, Algorithm::ed448};
  EXPECT_EQ(policy->algorithms, expected);
  EXPECT_THAT(words_of(make_policy({.algorithms = {"none"}})), HasSubstr("\"none\" is not"));
}

TEST(PlanKeys, join_the_users_of_the_plan_and_of_its_file) {
  const auto users = make_users({.users = {{"ben", "x"}}, .file = "users"}, a_file);
  ASSERT_TRUE(users.has_value());
  EXPECT_EQ(users->size(), 2U);
  EXPECT_THAT(words_of(make_users({.users = {{"anna", "x"}}, .file = "users"}, a_file)),
              HasSubstr("user \"anna\" is in the plan and in users"));
  EXPECT_THAT(words_of(make_users({.file = "users"}, no_file)), HasSubstr("No such file"));
}

TEST(FieldName, is_one_that_an_application_may_own) {
  EXPECT_EQ(FieldName::parse("X-User")->text, "x-user");
  for (const char* text :
       {"", "x user", "x:y", "Host", "content-length", "Transfer-Encoding", "connection", "x\n"}) {
    EXPECT_FALSE(FieldName::parse(text)) << text;
  }
}

TEST(TokenSource, is_a_header_or_a_cookie) {
  EXPECT_EQ(to_string(*TokenSource::parse("header:Authorization")), "header:authorization");
  EXPECT_EQ(to_string(*TokenSource::parse("cookie:Session")), "cookie:Session");
  for (const char* text : {"", "authorization", "header:", "cookie:a b", "query:token"}) {
    EXPECT_FALSE(TokenSource::parse(text)) << text;
  }
}

TEST(JwksConfig, is_a_url_in_short) {
  EXPECT_EQ(JwksConfig::parse("https://a.example/k")->url, "https://a.example/k");
  EXPECT_FALSE(JwksConfig::parse("a.example/k"));
}

}  // namespace
}  // namespace spillway::identity
