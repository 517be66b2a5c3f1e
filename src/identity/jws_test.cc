// identity/jws_test.cc: the public examples of RFC 7515, 7520 and 8037, and every way to be wrong.
#include "identity/jws.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "identity/jwk.h"
#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

constexpr std::string_view joe =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
constexpr std::string_view joe_text =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
constexpr std::string_view frodo =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250b"
    "yB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm"
    "UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";
constexpr std::string_view frodo_text =
    "It\xe2\x80\x99s a dangerous business, Frodo, going out your door. You step onto the road, and "
    "if you don't keep your feet, there\xe2\x80\x99s no knowing where you might be swept off to.";

// RFC 7520 section 3.4; sections 4.1 and 4.2 sign with it.
constexpr std::string_view bilbo_rsa =
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStg)"
    "Abgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_N"
    "sYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5l"
    "FHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_q"
    R"(ixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"})";

struct Example {
  const char* name;
  std::string jwk;
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view text;
};

std::string token_of(const Example& example) {
  return std::string(example.header) + "." + std::string(example.payload) + "." +
         std::string(example.signature);
}

std::vector<Example> rfc_7515() {
  return {
      {"RFC 7515 A.1, HS256",
       R"({"kty":"oct","alg":"HS256","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75a)"
       R"(KtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
       "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", joe,
       "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", joe_text},
      {"RFC 7515 A.2, RS256",
       R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4)"
       "qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0"
       "LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5"
       "ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp"
       R"(oQ","e":"AQAB"})",
       "eyJhbGciOiJSUzI1NiJ9", joe,
       "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F"
       "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB"
       "MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY"
       "I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
       joe_text},
      {"RFC 7515 A.3, ES256",
       R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
       R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
       "eyJhbGciOiJFUzI1NiJ9", joe,
       "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
       joe_text},
      {"RFC 7515 A.4, ES512",
       R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_N)"
       R"(jFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1)"
       R"(WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})",
       "eyJhbGciOiJFUzUxMiJ9", "UGF5bG9hZA",
       "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG"
       "8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
       "Payload"}};
}

std::vector<Example> rfc_7520_and_8037() {
  return {
      {"RFC 7520 4.1, RS256", std::string(bilbo_rsa),
       "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", frodo,
       "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xu"
       "glII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5a"
       "AE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0"
       "KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg",
       frodo_text},
      {"RFC 7520 4.2, PS384", std::string(bilbo_rsa),
       "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", frodo,
       "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8"
       "TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRm"
       "BqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQT"
       "lqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
       frodo_text},
      {"RFC 7520 4.3, ES512",
       R"({"kty":"EC","kid":"bilbo.baggins@hobbiton.example","use":"sig","crv":"P-521","x":"AHKZLL)"
       R"(OsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":)"
       R"("AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR)"
       R"(1"})",
       "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9", frodo,
       "AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQ"
       "y3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
       frodo_text},
      {"RFC 7520 4.4, HS256",
       R"({"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256",)"
       R"("k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"})",
       "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9", frodo,
       "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0", frodo_text},
      {"RFC 8037 A.4, Ed25519",
       R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
       "eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
       "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
       "Example of Ed25519 signing"}};
}

std::vector<Example> examples() {
  std::vector<Example> all = rfc_7515();
  for (Example& example : rfc_7520_and_8037()) all.push_back(std::move(example));
  return all;
}

KeySet keys_of(std::string_view jwk) {
  const auto key = parse_jwk(jwk);
  EXPECT_TRUE(key.has_value()) << (key ? "" : key.error().detail);
  KeySet keys;
  if (key) EXPECT_TRUE(keys.add(*key));
  return keys;
}

TEST(Jws, verifies_the_public_examples) {
  JwsOpener opener;
  for (const Example& example : examples()) {
    const auto payload = opener.open(token_of(example), keys_of(example.jwk));
    ASSERT_TRUE(payload.has_value()) << example.name << ": " << to_string(payload.error());
    EXPECT_EQ(*payload, example.text) << example.name;
  }
}

TEST(Jws, refuses_the_examples_with_any_byte_of_the_signature_changed) {
  JwsOpener opener;
  for (const Example& example : examples()) {
    const KeySet keys = keys_of(example.jwk);
    std::string bytes(base64_bytes(example.signature.size()), '\0');
    bytes.resize(*decode_base64url(example.signature, bytes));
    for (size_t i = 0; i < bytes.size(); ++i) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
      Example wrong = example;
      const std::string signature = testing::base64url(changed);
      wrong.signature = signature;
      EXPECT_EQ(opener.open(token_of(wrong), keys).error(), TokenFault::bad_signature)
          << example.name << ", byte " << i;
    }
  }
}

TEST(Jws, refuses_the_examples_with_another_payload_or_a_signature_of_another_length) {
  JwsOpener opener;
  for (const Example& example : examples()) {
    const KeySet keys = keys_of(example.jwk);
    Example wrong = example;
    wrong.payload = "e30";
    EXPECT_EQ(opener.open(token_of(wrong), keys).error(), TokenFault::bad_signature);
    for (const std::string& signature : {std::string(), std::string(example.signature.substr(4)),
                                         "AAAA" + std::string(example.signature)}) {
      wrong = example;
      wrong.signature = signature;
      EXPECT_EQ(opener.open(token_of(wrong), keys).error(), TokenFault::bad_signature)
          << example.name << ": " << signature;
    }
  }
}

// RFC 7515 A.5.
TEST(Jws, refuses_alg_none_whatever_the_keys) {
  const std::string token = "eyJhbGciOiJub25lIn0." + std::string(joe) + ".";
  JwsOpener opener;
  EXPECT_EQ(opener.open(token, KeySet()).error(), TokenFault::unsupported_algorithm);
  for (const Example& example : examples()) {
    EXPECT_EQ(opener.open(token, keys_of(example.jwk)).error(), TokenFault::unsupported_algorithm);
  }
  for (const char* name : {"none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "RS1", "dir"}) {
    const std::string header = "{\"alg\":\"" + std::string(name) + "\"}";
    const auto opened = opener.open(testing::signing_input(header, "{}") + ".", KeySet());
    EXPECT_FALSE(opened.has_value()) << name;
  }
}

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";

KeySet secret_set(std::string id = "") {
  return testing::set_of(*Key::from_secret(secret, Algorithm::hs256, std::move(id)));
}

struct Case {
  const char* says;
  std::string header;
  std::string payload;
  TokenFault fault;
};

// Well signed, and still not to be believed.
TEST(Jws, refuses_headers_that_are_not_as_rfc_7515_has_them) {
  using enum TokenFault;
  const std::vector<Case> cases = {
      {"no alg", R"({"typ":"JWT"})", "{}", malformed},
      {"alg that is a number", R"({"alg":256})", "{}", malformed},
      {"alg twice", R"({"alg":"HS256","alg":"none"})", "{}", malformed},
      {"alg twice, once escaped", R"({"alg":"HS256","\u0061lg":"HS256"})", "{}", malformed},
      {"any other name twice", R"({"alg":"HS256","x":1,"x":1})", "{}", malformed},
      {"a header that is an array", R"(["HS256"])", "{}", malformed},
      {"a header with a comma too many", R"({"alg":"HS256",})", "{}", malformed},
      {"a header nested too deep",
       R"({"alg":"HS256","x":)" + std::string(40, '[') + std::string(40, ']') + "}", "{}",
       malformed},
      {"typ that is an object", R"({"alg":"HS256","typ":{}})", "{}", malformed},
      {"kid that is a number", R"({"alg":"HS256","kid":1})", "{}", malformed},
      {"a kid too long", R"({"alg":"HS256","kid":")" + std::string(300, 'k') + "\"}", "{}",
       malformed},
      {"crit with an unknown name", R"({"alg":"HS256","crit":["exp"],"exp":1})", "{}",
       unsupported_extension},
      {"crit that is empty", R"({"alg":"HS256","crit":[]})", "{}", unsupported_extension},
      {"crit that is no array", R"({"alg":"HS256","crit":"b64"})", "{}", unsupported_extension},
      {"a payload without base64", R"({"alg":"HS256","b64":false,"crit":["b64"]})", "{}",
       unsupported_extension},
      {"an algorithm of encryption", R"({"alg":"RSA-OAEP","enc":"A256GCM"})", "{}",
       unsupported_algorithm},
      {"an algorithm of no key here", R"({"alg":"HS512"})", "{}", unsupported_algorithm},
  };
  JwsOpener opener;
  const KeySet keys = secret_set();
  for (const Case& one : cases) {
    const auto opened = opener.open(testing::hmac_token(secret, one.header, one.payload), keys);
    ASSERT_FALSE(opened.has_value()) << one.says;
    EXPECT_EQ(to_string(opened.error()), to_string(one.fault)) << one.says;
  }
}

TEST(Jws, refuses_text_that_is_no_token) {
  using enum TokenFault;
  JwsOpener opener;
  const KeySet keys = secret_set();
  const std::string good = testing::hs256_token(secret, "{}");
  ASSERT_TRUE(opener.open(good, keys).has_value());
  const std::string long_token =
      testing::hs256_token(secret, "{\"x\":\"" + std::string(limits::token_bytes_max, 'x') + "\"}");
  const std::vector<std::pair<std::string, TokenFault>> cases = {
      {"", malformed},
      {".", malformed},
      {"..", malformed},
      {"a", malformed},
      {good.substr(0, good.rfind('.')), malformed},
      {good + ".", malformed},
      {good + ".e30.e30", malformed},
      {" " + good, malformed},
      {good + "\n", malformed},
      {good + "=", malformed},
      {"=" + good, malformed},
      {long_token, too_long},
      {std::string(limits::token_bytes_max + 1, '.'), too_long},
      {std::string(limits::token_bytes_max, '.'), malformed},
  };
  for (const auto& [token, fault] : cases) {
    const auto opened = opener.open(token, keys);
    ASSERT_FALSE(opened.has_value()) << token;
    EXPECT_EQ(to_string(opened.error()), to_string(fault)) << token;
  }
}

// The last character of a 32-byte signature has two bits that mean nothing.
TEST(Jws, refuses_a_second_text_for_the_same_signature) {
  JwsOpener opener;
  const std::string good = testing::hs256_token(secret, "{}");
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const size_t value = digits.find(good.back());
  for (size_t bits = 1; bits < 4; ++bits) {
    std::string twin = good;
    twin.back() = digits[value + bits];
    EXPECT_EQ(opener.open(twin, secret_set()).error(), TokenFault::malformed);
  }
}

TEST(Jws, never_takes_a_public_key_for_a_secret) {
  const PublicKeyHandle rsa = testing::make_rsa();
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(rsa.get(), &der);
  const std::string published(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  const KeySet keys = testing::set_of(*Key::from_public(testing::shared(rsa), ""));
  JwsOpener opener;
  EXPECT_EQ(opener.open(testing::hs256_token(published, "{}"), keys).error(),
            TokenFault::unsupported_algorithm);
}

TEST(Jws, ignores_keys_that_the_token_brings_along) {
  const PublicKeyHandle mine = testing::make_ec("P-256");
  const PublicKeyHandle theirs = testing::make_ec("P-256");
  const std::string input = testing::signing_input(
      R"({"alg":"ES256","jku":"https://evil.example/jwks","x5u":"https://evil.example/x5",)"
      R"("x5c":["AAAA"],"jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}})",
      "{}");
  const KeySet keys = testing::set_of(*Key::from_public(testing::shared(mine), ""));
  JwsOpener opener;
  const auto signed_by = [&](const PublicKeyHandle& key) {
    return input + "." + testing::base64url(testing::sign(key.get(), Algorithm::es256, input));
  };
  EXPECT_EQ(opener.open(signed_by(theirs), keys).error(), TokenFault::bad_signature);
  EXPECT_TRUE(opener.open(signed_by(mine), keys).has_value());
}

TEST(Jws, verifies_every_algorithm_with_its_own_kind_of_key_only) {
  std::vector<PublicKeyHandle> keys;
  keys.push_back(testing::make_rsa());
  keys.push_back(testing::make_ec("P-256"));
  keys.push_back(testing::make_ec("P-384"));
  keys.push_back(testing::make_ec("P-521"));
  keys.push_back(testing::make_edwards("ED25519"));
  keys.push_back(testing::make_edwards("ED448"));
  JwsOpener opener;
  size_t verified = 0;
  for (const PublicKeyHandle& signer : keys) {
    const AlgorithmSet its_own = Key::from_public(testing::shared(signer), "")->algorithms();
    for (size_t i = 0; i < algorithms_count; ++i) {
      const auto algorithm = static_cast<Algorithm>(i);
      if (!its_own.has(algorithm)) continue;
      const std::string token = testing::signed_token(signer.get(), algorithm, "{}");
      for (const PublicKeyHandle& key : keys) {
        const KeySet set = testing::set_of(*Key::from_public(testing::shared(key), ""));
        EXPECT_EQ(opener.open(token, set).has_value(), &key == &signer) << to_string(algorithm);
      }
      ++verified;
    }
  }
  EXPECT_EQ(verified, 11U);
  for (const auto& [name, algorithm, digest] :
       {std::tuple("HS256", Algorithm::hs256, EVP_sha256()),
        std::tuple("HS384", Algorithm::hs384, EVP_sha384()),
        std::tuple("HS512", Algorithm::hs512, EVP_sha512())}) {
    const std::string long_secret(150, 's');  // Longer than a block: hashed first (RFC 2104).
    const std::string header = "{\"alg\":\"" + std::string(name) + "\"}";
    const KeySet set = testing::set_of(*Key::from_secret(long_secret, algorithm, ""));
    EXPECT_TRUE(opener.open(testing::hmac_token(long_secret, header, "{}", digest), set));
    EXPECT_FALSE(opener.open(testing::hmac_token(long_secret + "s", header, "{}", digest), set));
  }
}

TEST(Jws, takes_the_names_of_rfc_9864_for_the_edwards_curves) {
  const PublicKeyHandle key = testing::make_edwards("ED25519");
  const KeySet set = testing::set_of(*Key::from_public(testing::shared(key), ""));
  JwsOpener opener;
  const auto named = [&](std::string_view name) {
    const std::string input =
        testing::signing_input("{\"alg\":\"" + std::string(name) + "\"}", "{}");
    return opener.open(
        input + "." + testing::base64url(testing::sign(key.get(), Algorithm::ed25519, input)), set);
  };
  EXPECT_TRUE(named("EdDSA").has_value());
  EXPECT_TRUE(named("Ed25519").has_value());
  EXPECT_EQ(named("Ed448").error(), TokenFault::unsupported_algorithm);
}

TEST(Jws, takes_only_the_algorithms_that_are_allowed) {
  JwsOpener opener;
  const std::string token = testing::hs256_token(secret, "{}");
  EXPECT_TRUE(opener.open(token, secret_set(), {Algorithm::hs256, Algorithm::es256}));
  EXPECT_EQ(opener.open(token, secret_set(), {Algorithm::es256}).error(),
            TokenFault::unsupported_algorithm);
}

TEST(Jws, refuses_a_signature_that_is_longer_than_its_curve_or_zero) {
  const PublicKeyHandle key = testing::make_ec("P-256");
  const KeySet set = testing::set_of(*Key::from_public(testing::shared(key), ""));
  const std::string input = testing::signing_input(R"({"alg":"ES256"})", "{}");
  JwsOpener opener;
  const auto with = [&](const std::string& signature) {
    return opener.open(input + "." + testing::base64url(signature), set).has_value();
  };
  const std::string good = testing::sign(key.get(), Algorithm::es256, input);
  EXPECT_TRUE(with(good));
  EXPECT_FALSE(with('\0' + good.substr(0, 32) + '\0' + good.substr(32)));  // Longer numbers.
  EXPECT_FALSE(with(std::string(64, '\0')));  // CVE-2022-21449's signature.
  EXPECT_FALSE(with(std::string(64, '\xff')));
  EXPECT_FALSE(with(good.substr(0, 32) + std::string(32, '\0')));
}

TEST(Jws, tries_the_key_that_the_token_names_and_else_those_without_a_name) {
  const auto add = [](KeySet& keys, char byte, std::string id) {
    const std::string bytes(32, byte);
    EXPECT_TRUE(keys.add(
        std::make_shared<const Key>(*Key::from_secret(bytes, Algorithm::hs256, std::move(id)))));
  };
  KeySet keys;
  add(keys, 'a', "one");
  add(keys, 'b', "two");
  add(keys, 'c', "");
  JwsOpener opener;
  const auto open = [&](char byte, std::string_view id) -> std::string_view {
    std::string header = R"({"alg":"HS256")";
    if (!id.empty()) header += R"(,"kid":")" + std::string(id) + "\"";
    const auto opened =
        opener.open(testing::hmac_token(std::string(32, byte), header + "}", "{}"), keys);
    return opened ? "verified" : to_string(opened.error());
  };
  EXPECT_EQ(open('a', "one"), "verified");
  EXPECT_EQ(open('b', "one"), "bad_signature");
  EXPECT_EQ(open('c', "one"), "bad_signature");
  EXPECT_EQ(open('b', ""), "verified");  // Names none: any that fits.
  EXPECT_EQ(open('c', "three"), "verified");
  EXPECT_EQ(open('a', "three"), "bad_signature");
  KeySet named;
  add(named, 'a', "one");
  const auto unknown =
      opener.open(testing::hmac_token(secret, R"({"alg":"HS256","kid":"x"})", "{}"), named);
  EXPECT_EQ(unknown.error(), TokenFault::unknown_key);
  EXPECT_EQ(opener.open(testing::hs256_token(secret, "{}"), KeySet()).error(),
            TokenFault::unknown_key);
}

TEST(Jws, gives_up_after_some_keys_that_do_not_fit) {
  KeySet keys;
  for (size_t i = 0; i <= limits::keys_tried_max; ++i) {
    const std::string bytes(32, static_cast<char>('a' + i));
    ASSERT_TRUE(keys.add(
        std::make_shared<const Key>(*Key::from_secret(bytes, Algorithm::hs256, "k" + bytes))));
  }
  JwsOpener opener;
  const auto signed_by = [&](size_t i) {
    return opener
        .open(testing::hs256_token(std::string(32, static_cast<char>('a' + i)), "{}"), keys)
        .has_value();
  };
  EXPECT_TRUE(signed_by(limits::keys_tried_max - 1));
  EXPECT_FALSE(signed_by(limits::keys_tried_max));
}

}  // namespace
}  // namespace spillway::identity
