// identity/jwt_bench.cc: what a token costs, by algorithm; no result is remembered.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "identity/api_key.h"
#include "identity/jwt.h"
#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

constexpr WallTime now{std::chrono::seconds(1'800'000'000)};
constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
// With header and signature a token of some 250 bytes.
constexpr std::string_view payload =
    R"({"sub":"8f14e45f-ceea-467a-9575-d3a1","iss":"https://login.example/","aud":"shop",)"
    R"("role":"admin","iat":1799999000,"exp":1800003600})";

JwtPolicy policy() { return {.issuers = {"https://login.example/"}, .audiences = {"shop"}}; }

void verify(benchmark::State& state, const KeySet& keys, const std::vector<std::string>& tokens) {
  JwtVerifier verifier;
  const JwtPolicy rules = policy();
  size_t i = 0;
  for (auto _ : state) {
    const auto claims = verifier.verify(tokens[i], keys, rules, now);
    CHECK(claims.has_value());
    benchmark::DoNotOptimize(claims->text("sub"));
    i = i + 1 == tokens.size() ? 0 : i + 1;
  }
  state.counters["token_bytes"] = static_cast<double>(tokens.front().size());
}

void hs256(benchmark::State& state) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 1000; ++i) {
    std::string text(payload);
    text.replace(text.find("8f14"), 4, std::to_string(1000 + i));
    tokens.push_back(testing::hs256_token(secret, text));
  }
  verify(state, testing::set_of(*Key::from_secret(secret, Algorithm::hs256, "")), tokens);
}
BENCHMARK(hs256);

void public_key(benchmark::State& state, Algorithm algorithm, PublicKeyHandle key) {
  const std::string token = testing::signed_token(key.get(), algorithm, payload);
  verify(state, testing::set_of(*Key::from_public(std::move(key), "")), {token});
}
void rs256(benchmark::State& state) { public_key(state, Algorithm::rs256, testing::make_rsa()); }
void ps256(benchmark::State& state) { public_key(state, Algorithm::ps256, testing::make_rsa()); }
void es256(benchmark::State& state) {
  public_key(state, Algorithm::es256, testing::make_ec("P-256"));
}
void ed25519(benchmark::State& state) {
  public_key(state, Algorithm::ed25519, testing::make_edwards("ED25519"));
}
BENCHMARK(rs256);
BENCHMARK(ps256);
BENCHMARK(es256);
BENCHMARK(ed25519);

// The parts of an HS256 token's cost.
void decode_token(benchmark::State& state) {
  const std::string token = testing::hs256_token(secret, payload);
  std::array<char, 1024> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(decode_base64url(std::string_view(token).substr(0, 240), out));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(decode_token);

void read_claims(benchmark::State& state) {
  std::array<char, 1024> space;
  JsonObject object;
  for (auto _ : state) benchmark::DoNotOptimize(object.read(payload, space));
}
BENCHMARK(read_claims);

void verify_signature(benchmark::State& state) {
  const auto key = *Key::from_secret(secret, Algorithm::hs256, "");
  const std::string text = testing::signing_input(R"({"alg":"HS256","typ":"JWT"})", payload);
  const std::string signature(32, 'x');
  VerifyContext context;
  for (auto _ : state) {
    benchmark::DoNotOptimize(key.verifies(Algorithm::hs256, text, signature, context));
  }
}
BENCHMARK(verify_signature);

void find_api_key(benchmark::State& state) {
  std::map<std::string, KeyDigest> keys;
  Sha256 sha256;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = std::to_string(i);
    keys[name] = KeyDigest{sha256("key-of-" + name)};
  }
  const auto held = *ApiKeys::make(keys, ProcessSecret{});
  for (auto _ : state) benchmark::DoNotOptimize(held.find("key-of-500", sha256));
}
BENCHMARK(find_api_key);

}  // namespace
}  // namespace spillway::identity
