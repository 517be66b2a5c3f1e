// identity/jwt_fuzz.cc: no text verifies but what was signed; no bytes crash the reader.
//
// An input is header, payload and signature in their encoded form, as a client would send them. The
// first byte chooses what is done with them.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "identity/jwt.h"
#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr WallTime now{std::chrono::seconds(1'800'000'000)};

const KeySet& keys() {
  static const KeySet set = [] {
    KeySet made = testing::set_of(*Key::from_secret(secret, Algorithm::hs256, "secret"));
    CHECK(made.add(
        std::make_shared<const Key>(*Key::from_public(testing::make_ec("P-256"), "elliptic"))));
    CHECK(made.add(
        std::make_shared<const Key>(*Key::from_public(testing::make_edwards("ED25519"), ""))));
    return made;
  }();
  return set;
}

const JwtPolicy& policy() {
  static const JwtPolicy rules{.audiences = {"shop"}, .required = {}};
  return rules;
}

// What is said of claims must hold for any that are well signed.
void use(const Claims& claims, std::string_view name) {
  std::array<char, 256> out;
  if (const auto text = claims.write(name, out)) {
    for (const char c : *text) CHECK(static_cast<uint8_t>(c) >= 0x20 || c == '\t');
  }
  (void)claims.has(name, "admin");
  (void)claims.text("sub");
}

// A client that has no key: whatever it sends is refused.
void send(JwtVerifier& verifier, std::string_view token) {
  CHECK(!verifier.verify(token, keys(), policy(), now));
}

// An issuer that signs anything: the reader of headers and claims meets the bytes themselves.
void sign_and_send(JwtVerifier& verifier, std::string_view bytes, size_t changed) {
  const size_t line = bytes.find('\n');
  const bool has_header = line != std::string_view::npos;
  const std::string_view header =
      has_header ? bytes.substr(0, line) : R"({"alg":"HS256","kid":"secret"})";
  const std::string_view payload = has_header ? bytes.substr(line + 1) : bytes;
  const std::string token = testing::hmac_token(secret, header, payload);
  const auto first = verifier.verify(token, keys(), policy(), now);
  if (first) use(*first, "realm_access.roles");
  const bool verified = first.has_value();
  const auto again = verifier.verify(token, keys(), policy(), now);
  CHECK(again.has_value() == verified);
  if (!verified) return;

  // No change of one character of the signature is let through.
  const size_t begin = token.rfind('.') + 1;
  std::string wrong = token;
  char& c = wrong[begin + changed % (token.size() - begin)];
  c = c == 'A' ? 'B' : 'A';
  CHECK(!verifier.verify(wrong, keys(), policy(), now));
}

}  // namespace
}  // namespace spillway::identity

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway::identity;
  if (size == 0) return 0;
  // A copy of exactly this size, so that the sanitizer sees a read past the end.
  const std::vector<char> bytes(data + 1, data + size);
  const std::string_view text(bytes.data(), bytes.size());
  const auto verifier = std::make_unique<JwtVerifier>();
  if (data[0] % 2 == 0) {
    send(*verifier, text);
  } else {
    sign_and_send(*verifier, text, data[0] / 2);
  }
  return 0;
}
