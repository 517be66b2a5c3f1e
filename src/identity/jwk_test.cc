// identity/jwk_test.cc: keys in JSON and PEM, and those that are not taken.
#include "identity/jwk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <string>
#include <utility>

#include "identity/jws.h"
#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view x_of_p256 = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
constexpr std::string_view y_of_p256 = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

std::string ec_jwk(std::string_view more = "") {
  return R"({"kty":"EC","crv":"P-256","x":")" + std::string(x_of_p256) + R"(","y":")" +
         std::string(y_of_p256) + "\"" + std::string(more) + "}";
}

std::string number_of(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const BigNumberHandle owned(number);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  return testing::base64url(bytes);
}

std::string rsa_jwk(EVP_PKEY* key, std::string_view exponent = "AQAB") {
  return R"({"kty":"RSA","n":")" + number_of(key, OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
         std::string(exponent) + "\"}";
}

std::string pem_of(EVP_PKEY* key, bool is_private = false) {
  const BioHandle bio(BIO_new(BIO_s_mem()));
  if (is_private) {
    CHECK(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  } else {
    CHECK(PEM_write_bio_PUBKEY(bio.get(), key) == 1);
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string certificate_of(EVP_PKEY* key) {
  const CertificateHandle certificate(X509_new());
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 60);
  CHECK(X509_set_pubkey(certificate.get(), key) == 1);
  CHECK(X509_sign(certificate.get(), key, EVP_sha256()) > 0);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509(bio.get(), certificate.get()) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

std::string words_of(const auto& result) {
  return result.has_value() ? "(taken)" : result.error().detail;
}

TEST(Jwk, has_the_algorithms_of_its_type_or_the_one_it_names) {
  const PublicKeyHandle rsa = testing::make_rsa();
  EXPECT_EQ((*parse_jwk(rsa_jwk(rsa.get())))->algorithms(), rsa_algorithms);
  EXPECT_EQ((*parse_jwk(ec_jwk()))->algorithms(), AlgorithmSet{Algorithm::es256});
  EXPECT_EQ((*parse_jwk(ec_jwk(R"(,"alg":"ES256","kid":"k","use":"sig")")))->id(), "k");
  EXPECT_EQ((*parse_jwk(ec_jwk(R"(,"key_ops":["sign","verify"])")))->id(), "");
  const auto edwards = parse_jwk(R"({"kty":"OKP","crv":"Ed25519","alg":"EdDSA",)"
                                 R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  EXPECT_EQ((*edwards)->algorithms(), AlgorithmSet{Algorithm::ed25519});
}

TEST(Jwk, is_refused_with_the_reason) {
  const PublicKeyHandle small = testing::make_rsa(1024);
  const PublicKeyHandle rsa = testing::make_rsa();
  const std::string y = std::string(y_of_p256);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {R"({"kty":"EC","kty":"EC"})", "a name occurs twice"},
      {"{}", "\"kty\" of a JWK is not oct, RSA, EC or OKP"},
      {R"({"kty":"DSA"})", "\"kty\" of a JWK is not"},
      {ec_jwk(R"(,"use":"enc")"), "\"use\" of a JWK is not \"sig\""},
      {ec_jwk(R"(,"key_ops":["sign"])"), "\"key_ops\""},
      {ec_jwk(R"(,"key_ops":"verify")"), "\"key_ops\" of a JWK is not an array"},
      {ec_jwk(R"(,"alg":"RS256")"), "another type than its algorithm"},
      {ec_jwk(R"(,"alg":"none")"), "\"alg\""},
      {ec_jwk(R"(,"alg":1)"), "\"alg\""},
      {ec_jwk(R"(,"kid":1)"), "\"kid\""},
      {R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})", "\"crv\" of a JWK is not P-256"},
      {R"({"kty":"EC","crv":"P-256","x":")" + y + R"(","y":")" + y + "\"}", "no EC key"},
      {R"({"kty":"EC","crv":"P-256","x":"AA","y":")" + y + "\"}", "32 bytes long"},
      {R"({"kty":"EC","crv":"P-384","x":")" + y + R"(","y":")" + y + "\"}", "48 bytes long"},
      {R"({"kty":"EC","crv":"P-256"})", "\"x\""},
      {R"({"kty":"OKP","crv":"X25519","x":"AA"})", "\"crv\" of a JWK is not Ed25519 or Ed448"},
      {R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})", "32 bytes long"},
      {rsa_jwk(small.get()), "an RSA key of 1024 bits; expected 2048 to 8192"},
      {rsa_jwk(rsa.get(), "AQ"), "exponent is even, 1 or longer"},
      {rsa_jwk(rsa.get(), "Ag"), "exponent is even, 1 or longer"},
      {rsa_jwk(rsa.get(), ""), "\"e\""},
      {R"({"kty":"RSA","n":")" + std::string(2000, 'A') + R"(","e":"AQAB"})", "\"n\""},
      {R"({"kty":"RSA","n":"a b","e":"AQAB"})", "\"n\""},
      {R"({"kty":"oct","k":"AAAA"})", "\"alg\" of a JWK is not HS256"},
      {R"({"kty":"oct","alg":"RS256","k":"AAAA"})", "\"alg\" of a JWK is not HS256"},
      {R"({"kty":"oct","alg":"HS256"})", "\"k\""},
      {R"({"kty":"oct","alg":"HS256","k":"c2VjcmV0"})", "a secret of 6 bytes for HS256"},
      {std::string(limits::key_file_bytes_max + 1, ' '), "at most 256 KiB"},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(words_of(parse_jwk(text)), HasSubstr(words)) << text.substr(0, 200);
  }
}

TEST(Jwk, never_shows_a_secret) {
  const auto refused = parse_jwk(R"({"kty":"oct","alg":"HS256","k":"c2VjcmV0"})");
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("c2Vj")));
  EXPECT_THAT(refused.error().detail, Not(HasSubstr("secret,")));
  EXPECT_THAT(words_of(Key::from_secret("hunter2", Algorithm::hs256, "")),
              Not(HasSubstr("hunter2")));
}

TEST(Jwks, passes_over_the_keys_that_it_cannot_use) {
  const auto set =
      parse_jwks(R"({"keys":[{"kty":"new"},)" + ec_jwk(R"(,"kid":"a")") + "," +
                 ec_jwk(R"(,"use":"enc")") + "," + ec_jwk(R"(,"kid":"b")") + R"(,7],"other":1})");
  ASSERT_TRUE(set.has_value());
  ASSERT_EQ(set->keys.keys().size(), 2U);
  EXPECT_EQ(set->keys.keys()[1]->id(), "b");
  ASSERT_EQ(set->passed_over.size(), 3U);
  EXPECT_THAT(set->passed_over[0], HasSubstr("key 1: \"kty\""));
  EXPECT_THAT(set->passed_over[2], HasSubstr("key 5: not a JSON object"));
}

TEST(Jwks, takes_no_secret_from_an_issuer) {
  const std::string secret(43, 'A');
  const auto set = parse_jwks(R"({"keys":[{"kty":"oct","alg":"HS256","k":")" + secret + "\"}]}");
  EXPECT_THAT(words_of(set), HasSubstr("\"kty\" of a JWK is not that of a public key"));
}

TEST(Jwks, is_refused_with_the_reason) {
  std::string many = R"({"keys":[)";
  for (size_t i = 0; i <= limits::keys_max; ++i) many += (i == 0 ? "" : ",") + ec_jwk();
  many += "]}";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not JSON"},
      {"<html>", "not JSON"},
      {"{}", "without \"keys\""},
      {R"({"keys":{}})", "not an array"},
      {R"({"keys":[]})", "a JWKS without keys"},
      {R"({"keys":[1]})", "without a key that can be used; key 1: not a JSON object"},
      {R"({"keys":[],"keys":[]})", "a name occurs twice"},
      {many, "not an array of at most 64"},
  };
  for (const auto& [text, words] : cases) EXPECT_THAT(words_of(parse_jwks(text)), HasSubstr(words));
}

TEST(KeyFile, may_be_pem_a_certificate_a_jwk_or_a_jwks) {
  const PublicKeyHandle rsa = testing::make_rsa();
  const PublicKeyHandle ec = testing::make_ec("P-384");
  const std::string token = testing::signed_token(rsa.get(), Algorithm::rs256, "{}");
  JwsOpener opener;
  const std::string pem = pem_of(rsa.get());
  for (const std::string& text :
       {pem, "comment\n" + pem_of(ec.get()) + "\n" + pem, certificate_of(rsa.get()),
        rsa_jwk(rsa.get()), "\n" + (R"({"keys":[)" + rsa_jwk(rsa.get()) + "]}")}) {
    const auto keys = parse_key_file(text, "");
    ASSERT_TRUE(keys.has_value()) << keys.error().detail;
    EXPECT_TRUE(opener.open(token, *keys).has_value()) << text;
  }
  const auto narrowed = parse_key_file(pem, "name", {Algorithm::ps256});
  ASSERT_TRUE(narrowed.has_value());
  EXPECT_EQ(narrowed->keys()[0]->id(), "name");
  EXPECT_FALSE(opener.open(token, *narrowed).has_value());
}

TEST(KeyFile, is_refused_with_the_reason) {
  const PublicKeyHandle rsa = testing::make_rsa();
  const PublicKeyHandle weak = testing::make_rsa(1024);
  const PublicKeyHandle other = testing::make_ec("secp256k1");
  std::string cut = pem_of(rsa.get());
  cut.resize(cut.size() / 2);
  const std::string broken = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "an empty file"},
      {" \n", "an empty file"},
      {"some text", "neither JSON nor a whole PEM block"},
      {cut, "neither JSON nor a whole PEM block"},
      {broken, "OpenSSL cannot read"},
      {pem_of(rsa.get(), true), "\"PRIVATE KEY\"; expected PUBLIC KEY or CERTIFICATE, for the"},
      {pem_of(weak.get()), "1024 bits"},
      {pem_of(other.get()), "on the curve secp256k1; expected P-256"},
      {R"({"keys":[{"kty":"x"}]})", "key 1"},
      {R"({"keys":[{"kty":"x"},)" + ec_jwk() + "]}", "key 1: \"kty\""},
  };
  for (const auto& [text, words] : cases) {
    EXPECT_THAT(words_of(parse_key_file(text, "")), HasSubstr(words)) << text;
  }
  EXPECT_THAT(words_of(parse_key_file(ec_jwk(), "name")), HasSubstr("has its own kid"));
  EXPECT_THAT(words_of(parse_key_file(pem_of(rsa.get()), "", {Algorithm::es256})),
              HasSubstr("another type than its algorithm"));
}

TEST(Key, wants_a_secret_as_long_as_its_hash) {
  const auto made = [](size_t size, Algorithm algorithm, bool allow_short = false) {
    return words_of(Key::from_secret(std::string(size, 's'), algorithm, "", allow_short));
  };
  EXPECT_EQ(made(32, Algorithm::hs256), "(taken)");
  EXPECT_THAT(made(31, Algorithm::hs256), HasSubstr("31 bytes for HS256; expected 32 or more"));
  EXPECT_THAT(made(47, Algorithm::hs384), HasSubstr("expected 48"));
  EXPECT_THAT(made(63, Algorithm::hs512), HasSubstr("expected 64"));
  EXPECT_EQ(made(6, Algorithm::hs256, true), "(taken)");
  EXPECT_THAT(made(0, Algorithm::hs256, true), HasSubstr("empty"));
  EXPECT_THAT(made(limits::secret_bytes_max + 1, Algorithm::hs256), HasSubstr("at most 1024"));
}

TEST(KeySet, has_a_limit) {
  KeySet keys;
  const auto key = *parse_jwk(ec_jwk());
  for (size_t i = 0; i < limits::keys_max; ++i) ASSERT_TRUE(keys.add(key));
  EXPECT_THAT(words_of(keys.add(key)), HasSubstr("more than 64 keys"));
}

}  // namespace
}  // namespace spillway::identity
