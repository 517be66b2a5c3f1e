// identity/jwt_test.cc: what a token has to say, and to whom, and when.
#include "identity/jwt.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr WallTime now{std::chrono::seconds(1'800'000'000)};

const KeySet& keys() {
  static const KeySet set =
      testing::set_of(*Key::from_secret(secret, Algorithm::hs256, std::string()));
  return set;
}

// "verified", or the fault's name.
std::string_view verdict_of(std::string_view payload, const JwtPolicy& policy, WallTime at = now) {
  JwtVerifier verifier;
  const auto claims = verifier.verify(testing::hs256_token(secret, payload), keys(), policy, at);
  return claims ? "verified" : to_string(claims.error());
}

JwtPolicy strict() {
  return {.issuers = {"https://a.example", "https://b.example"},
          .audiences = {"shop", "api"},
          .required = {"exp", "sub"},
          .leeway = 10s};
}

struct Case {
  const char* says;
  std::string payload;
  std::string_view verdict;
};

TEST(Jwt, looks_at_every_claim_of_rfc_7519) {
  const std::string rest = R"(,"sub":"u","iss":"https://a.example","aud":"shop"})";
  const std::vector<Case> cases = {
      {"all is well", R"({"exp":1800000001)" + rest, "verified"},
      {"expired within the leeway", R"({"exp":1799999991)" + rest, "verified"},
      {"expired just at the leeway", R"({"exp":1799999990)" + rest, "expired"},
      {"expired long ago", R"({"exp":0)" + rest, "expired"},
      {"expired before the calendar", R"({"exp":-1e300)" + rest, "expired"},
      {"expires after the calendar", R"({"exp":99999999999)" + rest, "verified"},
      {"expires with a fraction", R"({"exp":1799999990.5)" + rest, "verified"},
      {"expires in text", R"({"exp":"1800000001")" + rest, "bad_claims"},
      {"expires at null", R"({"exp":null)" + rest, "bad_claims"},
      {"expires at a number too large for a double", R"({"exp":1e999)" + rest, "verified"},
      {"expires at a number too small for a double", R"({"exp":1e-999)" + rest, "expired"},
      {"no exp, which is required", R"({"iat":1)" + rest, "missing_claim"},
      {"begins within the leeway", R"({"exp":1800000001,"nbf":1800000010)" + rest, "verified"},
      {"begins later", R"({"exp":1800000001,"nbf":1800000011)" + rest, "not_yet_valid"},
      {"begins after the calendar", R"({"exp":1800000001,"nbf":1e300)" + rest, "not_yet_valid"},
      {"begins at true", R"({"exp":1800000001,"nbf":true)" + rest, "bad_claims"},
      {"issued within the leeway", R"({"exp":1800000001,"iat":1800000010)" + rest, "verified"},
      {"issued later", R"({"exp":1800000001,"iat":1800000011)" + rest, "issued_in_future"},
      {"a claim twice", R"({"exp":1800000001,"exp":1)" + rest, "bad_claims"},
      {"no subject, which is required",
       R"({"exp":1800000001,"iss":"https://a.example","aud":"shop"})", "missing_claim"},
      {"a subject that is null",
       R"({"exp":1800000001,"sub":null,"iss":"https://a.example","aud":"shop"})", "missing_claim"},
      {"a subject that is a number",
       R"({"exp":1800000001,"sub":1,"iss":"https://a.example","aud":"shop"})", "bad_claims"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(verdict_of(one.payload, strict()), one.verdict) << one.says;
  }
}

TEST(Jwt, takes_tokens_of_its_issuers_and_for_its_audiences_only) {
  const std::vector<Case> cases = {
      {"the second issuer", R"("iss":"https://b.example","aud":"shop")", "verified"},
      {"another issuer", R"("iss":"https://c.example","aud":"shop")", "wrong_issuer"},
      {"an issuer with a slash more", R"("iss":"https://a.example/","aud":"shop")", "wrong_issuer"},
      {"no issuer", R"("aud":"shop")", "wrong_issuer"},
      {"issuers in an array", R"("iss":["https://a.example"],"aud":"shop")", "bad_claims"},
      {"the second audience", R"("iss":"https://a.example","aud":"api")", "verified"},
      {"one of many audiences", R"("iss":"https://a.example","aud":["x","api"])", "verified"},
      {"an escaped audience", R"("iss":"https://a.example","aud":["\u0061pi"])", "verified"},
      {"another audience", R"("iss":"https://a.example","aud":"bank")", "wrong_audience"},
      {"other audiences", R"("iss":"https://a.example","aud":["bank","Shop"])", "wrong_audience"},
      {"an audience with ours in it", R"("iss":"https://a.example","aud":"shop api")",
       "wrong_audience"},
      {"nobody", R"("iss":"https://a.example","aud":[])", "wrong_audience"},
      {"no audience", R"("iss":"https://a.example")", "wrong_audience"},
      {"a number among the audiences", R"("iss":"https://a.example","aud":["shop",1])",
       "bad_claims"},
      {"an audience that is an object", R"("iss":"https://a.example","aud":{"shop":1})",
       "bad_claims"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(verdict_of(R"({"exp":1800000001,"sub":"u",)" + one.payload + "}", strict()),
              one.verdict)
        << one.says;
  }
  EXPECT_EQ(verdict_of(R"({"exp":1800000001,"iss":"x","aud":["y"]})", {}), "verified");
  EXPECT_EQ(verdict_of(R"({"exp":1800000001,"aud":7})", {}), "bad_claims");
}

TEST(Jwt, wants_an_object_of_claims) {
  for (const char* payload : {"", "[]", "null", "x", "{", R"({"exp":1800000001,})"}) {
    EXPECT_EQ(verdict_of(payload, {}), "bad_claims") << payload;
  }
  const std::string nested(40, '[');
  EXPECT_EQ(verdict_of(R"({"exp":1800000001,"x":)" + nested + std::string(40, ']') + "}", {}),
            "bad_claims");
}

TEST(Jwt, lets_a_policy_do_without_an_end) {
  EXPECT_EQ(verdict_of("{}", {}), "missing_claim");
  EXPECT_EQ(verdict_of("{}", {.required = {}}), "verified");
  EXPECT_EQ(verdict_of(R"({"exp":1})", {.required = {}}), "expired");
}

TEST(Jwt, compares_the_type_without_case_and_prefix) {
  JwtVerifier verifier;
  const auto with_type = [&](std::string_view type) -> std::string_view {
    const std::string header = R"({"alg":"HS256")" + std::string(type) + "}";
    const auto claims = verifier.verify(testing::hmac_token(secret, header, "{}"), keys(),
                                        {.types = {"at+jwt"}, .required = {}}, now);
    return claims ? "verified" : to_string(claims.error());
  };
  EXPECT_EQ(with_type(R"(,"typ":"at+jwt")"), "verified");
  EXPECT_EQ(with_type(R"(,"typ":"application/AT+JWT")"), "verified");
  EXPECT_EQ(with_type(R"(,"typ":"JWT")"), "wrong_type");
  EXPECT_EQ(with_type(""), "wrong_type");
}

TEST(Jwt, says_nothing_of_the_claims_before_the_signature_is_right) {
  JwtVerifier verifier;
  std::string token = testing::hs256_token(std::string(32, 'z'), R"({"exp":1,"aud":7})");
  EXPECT_EQ(verifier.verify(token, keys(), {}, now).error(), TokenFault::bad_signature);
}

TEST(Jwt, is_verified_one_after_another_in_the_same_memory) {
  JwtVerifier verifier;
  for (int i = 0; i < 3; ++i) {
    const std::string user = "user\\u002d" + std::to_string(i);
    const std::string payload = R"({"exp":1800000001,"sub":")" + user + R"("})";
    const auto claims = verifier.verify(testing::hs256_token(secret, payload), keys(), {}, now);
    ASSERT_TRUE(claims);
    EXPECT_EQ(claims->text("sub"), "user-" + std::to_string(i));
    EXPECT_FALSE(verifier.verify("x.y.z", keys(), {}, now));
  }
}

// With a token of the greatest length whose every character is an escape.
TEST(Jwt, has_room_for_whatever_a_token_holds) {
  std::string payload = R"({"exp":1800000001,"aud":["\u0061"],"sub":")";
  while (payload.size() < 5900) payload += R"(\n\u0041)";
  payload += "\"}";
  const std::string token = testing::hs256_token(secret, payload);
  ASSERT_LT(token.size(), limits::token_bytes_max);
  ASSERT_GT(token.size(), limits::token_bytes_max - 400);
  JwtVerifier verifier;
  const auto claims = verifier.verify(token, keys(), {.audiences = {"a"}, .required = {}}, now);
  ASSERT_TRUE(claims);
  EXPECT_TRUE(claims->text("sub").starts_with("\nA\nA"));
}

TEST(TokenFault, has_a_label_and_a_sentence_that_fits_into_a_quoted_string) {
  for (size_t i = 0; i < token_faults_count; ++i) {
    const auto fault = static_cast<TokenFault>(i);
    EXPECT_FALSE(to_string(fault).empty());
    EXPECT_EQ(describe(fault).find_first_of("\"\\"), std::string_view::npos);
    EXPECT_TRUE(describe(fault).starts_with("the token"));
  }
}

// The claims of one token.
struct Verified {
  explicit Verified(std::string_view payload) {
    claims.emplace(
        *verifier.verify(testing::hs256_token(secret, payload), keys(), {.required = {}}, now));
  }
  std::string write(std::string_view name) {
    std::array<char, 64> out;
    const auto text = claims->write(name, out);
    return text ? std::string(*text) : "(nothing)";
  }
  JwtVerifier verifier;
  std::optional<Claims> claims;
};

TEST(Claims, become_the_values_of_headers) {
  Verified of(R"({"text":"a b","number":1.50,"yes":true,"none":null,"list":["a",2,false],
                  "empty":[],
                  "deep":[["a"]],"comma":["a,b"],"object":{"a":1},
                  "lines":"a\r\nx-admin: 1",
                  "nul":"a\u0000","del":"\u007f","accent":"é","lines_in_list":["a","b\nc"],
                  "long":
                  "0123456789012345678901234567890123456789012345678901234567890123456789"})");
  EXPECT_EQ(of.write("text"), "a b");
  EXPECT_EQ(of.write("number"), "1.50");
  EXPECT_EQ(of.write("yes"), "true");
  EXPECT_EQ(of.write("list"), "a,2,false");
  EXPECT_EQ(of.write("empty"), "");
  EXPECT_EQ(of.write("accent"), "é");
  for (const char* name : {"none", "deep", "comma", "object", "lines", "nul", "del",
                           "lines_in_list", "long", "missing"}) {
    EXPECT_EQ(of.write(name), "(nothing)") << name;
  }
}

TEST(Claims, are_found_by_name_first_and_then_by_path) {
  Verified of(R"({"realm_access":{"roles":["admin","user"],"more":{"x":"y"}},"a.b":"whole",
                  "a":{"b":"inside"},"https://x.example/role":"r","e":{"a":"\n"}})");
  EXPECT_EQ(of.write("realm_access.roles"), "admin,user");
  EXPECT_EQ(of.write("realm_access.more.x"), "y");
  EXPECT_EQ(of.write("a.b"), "whole");
  EXPECT_EQ(of.write("https://x.example/role"), "r");
  EXPECT_EQ(of.write("realm_access.missing"), "(nothing)");
  EXPECT_EQ(of.write("a.b.c"), "(nothing)");
  EXPECT_EQ(of.write("."), "(nothing)");
}

TEST(Claims, have_a_value_as_text_or_item_or_word) {
  Verified of(R"({"role":"admin","roles":["user","\u0061dmin"],"scope":"read write","level":3})");
  EXPECT_TRUE(of.claims->has("role", "admin"));
  EXPECT_FALSE(of.claims->has("role", "adm"));
  EXPECT_TRUE(of.claims->has("roles", "admin"));
  EXPECT_FALSE(of.claims->has("roles", "root"));
  EXPECT_TRUE(of.claims->has("scope", "write"));
  EXPECT_TRUE(of.claims->has("scope", "read write"));
  EXPECT_FALSE(of.claims->has("scope", "writ"));
  EXPECT_TRUE(of.claims->has("level", "3"));
  EXPECT_FALSE(of.claims->has("missing", ""));
}

}  // namespace
}  // namespace spillway::identity
