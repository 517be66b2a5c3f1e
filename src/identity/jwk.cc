// identity/jwk.cc: members of a JWK become a key of OpenSSL's (RFC 7518 section 6, RFC 8037).
#include "identity/jwk.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "identity/base64.h"
#include "identity/json.h"
#include "identity/pem.h"

namespace spillway::identity {
namespace {

constexpr size_t modulus_bytes_max = limits::rsa_bits_maximum / 8;

std::unexpected<Error> bad(std::string_view member, std::string_view expected) {
  return fail(Error::Code::invalid, fmt::format("\"{}\" of a JWK is not {}", member, expected));
}

// A value of the key in base64url, at most `bytes_max` long.
Result<std::string> decoded(const JsonObject& jwk, std::string_view member, size_t bytes_max) {
  const std::string_view encoded = jwk.string(member);
  std::string bytes(base64_bytes(encoded.size()), '\0');
  const auto size = decode_base64url(encoded, bytes);
  if (!size || *size == 0 || *size > bytes_max) {
    OPENSSL_cleanse(bytes.data(), bytes.size());
    return bad(member, fmt::format("1 to {} bytes in base64url", bytes_max));
  }
  bytes.resize(*size);
  return bytes;
}

BigNumberHandle number_of(std::string_view bytes) {
  return BigNumberHandle(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()), nullptr));
}

// Checks what RFC 7518 cannot say in JSON: that a point is on its curve, for example.
Result<PublicKeyHandle> make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const ParametersHandle parameters(OSSL_PARAM_BLD_to_param(builder));
  const PublicKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  const bool is_made =
      parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1 &&
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  PublicKeyHandle key(made);
  ERR_clear_error();
  if (!is_made) return fail(Error::Code::invalid, fmt::format("a JWK that is no {} key", type));
  return key;
}

Result<PublicKeyHandle> rsa_key(const JsonObject& jwk) {
  TRY(modulus, decoded(jwk, "n", modulus_bytes_max));
  TRY(exponent, decoded(jwk, "e", modulus_bytes_max));
  const BigNumberHandle n = number_of(modulus);
  const BigNumberHandle e = number_of(exponent);
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const bool is_built =
      n && e && builder &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1;
  if (!is_built) return bad("n", "a number");
  return make_key("RSA", builder.get());
}

struct Curve {
  std::string_view name;
  const char* group;
  size_t coordinate_bytes;
};
constexpr std::array<Curve, 3> curves = {
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

// A coordinate has its full length (RFC 7518 section 6.2.1.2).
Result<PublicKeyHandle> ec_key(const JsonObject& jwk) {
  const std::string_view name = jwk.string("crv");
  const auto curve = std::ranges::find(curves, name, &Curve::name);
  if (curve == curves.end()) return bad("crv", "P-256, P-384 or P-521");
  TRY(x, decoded(jwk, "x", curve->coordinate_bytes));
  TRY(y, decoded(jwk, "y", curve->coordinate_bytes));
  if (x.size() != curve->coordinate_bytes || y.size() != curve->coordinate_bytes) {
    return bad("x", fmt::format("{} bytes long, as y must be too", curve->coordinate_bytes));
  }
  constexpr char uncompressed = 4;  // SEC 1 section 2.3.3.
  const std::string point = uncompressed + x + y;
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const bool is_built = builder &&
                        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                        curve->group, 0) == 1 &&
                        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                         point.data(), point.size()) == 1;
  if (!is_built) return bad("x", "a coordinate");
  return make_key("EC", builder.get());
}

// RFC 8037 section 2.
Result<PublicKeyHandle> edwards_key(const JsonObject& jwk) {
  const std::string_view curve = jwk.string("crv");
  if (curve != "Ed25519" && curve != "Ed448") return bad("crv", "Ed25519 or Ed448");
  const size_t expected = curve == "Ed25519" ? 32 : 57;
  TRY(x, decoded(jwk, "x", expected));
  if (x.size() != expected) return bad("x", fmt::format("{} bytes long", expected));
  const char* type = curve == "Ed25519" ? "ED25519" : "ED448";
  PublicKeyHandle key(EVP_PKEY_new_raw_public_key_ex(
      nullptr, type, nullptr, reinterpret_cast<const unsigned char*>(x.data()), x.size()));
  ERR_clear_error();
  if (!key) return bad("x", fmt::format("a point on {}", curve));
  return key;
}

Result<Key> secret_key(const JsonObject& jwk, std::string id, AlgorithmSet only) {
  const AlgorithmSet algorithms = only & hmac_algorithms;
  if (algorithms.is_empty()) return bad("alg", "HS256, HS384 or HS512, which a secret needs");
  TRY(secret, decoded(jwk, "k", limits::secret_bytes_max));
  auto key = Key::from_secret(secret, algorithms.first(), std::move(id));
  OPENSSL_cleanse(secret.data(), secret.size());
  return key;
}

Result<Key> public_key(const JsonObject& jwk, std::string id, AlgorithmSet only) {
  const std::string_view type = jwk.string("kty");
  auto key = type == "RSA"   ? rsa_key(jwk)
             : type == "EC"  ? ec_key(jwk)
             : type == "OKP" ? edwards_key(jwk)
                             : Result<PublicKeyHandle>(bad("kty", "oct, RSA, EC or OKP"));
  if (!key) return std::unexpected(std::move(key).error());
  return Key::from_public(*std::move(key), std::move(id), only);
}

// For verifying (RFC 7517 sections 4.2 and 4.3).
Result<void> check_use(const JsonObject& jwk, std::span<char> space) {
  if (const JsonValue* use = jwk.find("use")) {
    if (!use->is_string() || use->text != "sig") return bad("use", "\"sig\"");
  }
  const JsonValue* operations = jwk.find("key_ops");
  if (operations == nullptr) return {};
  JsonArray array;
  if (operations->kind != JsonValue::Kind::array || !array.read(operations->text, space)) {
    return bad("key_ops", "an array");
  }
  for (const JsonValue& operation : array.items()) {
    if (operation.is_string() && operation.text == "verify") return {};
  }
  return bad("key_ops", "an array with \"verify\"");
}

Result<std::shared_ptr<const Key>> key_of(const JsonObject& jwk, std::span<char> space,
                                          bool takes_secrets) {
  TRY_VOID(check_use(jwk, space));
  const JsonValue* id = jwk.find("kid");
  if (id != nullptr && (!id->is_string() || id->text.size() > limits::key_id_bytes_max)) {
    return bad("kid", fmt::format("text of at most {} bytes", limits::key_id_bytes_max));
  }
  AlgorithmSet only;
  if (const JsonValue* algorithm = jwk.find("alg")) {
    if (algorithm->is_string()) only = algorithms_named(algorithm->text);
    if (only.is_empty()) return bad("alg", "the name of a signature's algorithm, such as RS256");
  }
  std::string name(id == nullptr ? std::string_view() : id->text);
  const bool is_secret = jwk.string("kty") == "oct";
  if (is_secret && !takes_secrets) return bad("kty", "that of a public key");
  auto key =
      is_secret ? secret_key(jwk, std::move(name), only) : public_key(jwk, std::move(name), only);
  if (!key) return std::unexpected(std::move(key).error());
  return std::make_shared<const Key>(*std::move(key));
}

Result<void> check_length(std::string_view text) {
  if (text.size() <= limits::key_file_bytes_max) return {};
  return fail(Error::Code::limit_exceeded,
              fmt::format("{} bytes of keys; at most {} KiB are read", text.size(),
                          limits::key_file_bytes_max >> 10));
}

// The space is as large as the text, so that the objects inside of it may use it in their turn.
struct JwkText {
  explicit JwkText(std::string_view text) : space(text.size(), '\0') {}
  JwkText(const JwkText&) = delete;
  JwkText& operator=(const JwkText&) = delete;
  ~JwkText() { OPENSSL_cleanse(space.data(), space.size()); }
  std::string space;
};

Result<ParsedKeys> keys_of(const JsonValue& list, bool takes_secrets) {
  JwkText outer(list.text);
  JwkText inner(list.text);
  JwkText innermost(list.text);
  JsonArray array;
  if (list.kind != JsonValue::Kind::array || !array.read(list.text, outer.space)) {
    return fail(Error::Code::invalid,
                fmt::format("\"keys\" of a JWKS is not an array of at most {} keys",
                            limits::json_members_max));
  }
  ParsedKeys result;
  JsonObject jwk;
  for (size_t i = 0; i < array.items().size(); ++i) {
    const JsonValue& item = array.items()[i];
    auto key = jwk.read(item.text, inner.space)
                   ? key_of(jwk, innermost.space, takes_secrets)
                   : fail(Error::Code::invalid, "not a JSON object with members of one name each");
    if (key) {
      TRY_VOID(result.keys.add(*std::move(key)));
    } else {
      result.passed_over.push_back(fmt::format("key {}: {}", i + 1, key.error().detail));
    }
  }
  if (!result.keys.keys().empty()) return result;
  return fail(Error::Code::invalid,
              result.passed_over.empty()
                  ? "a JWKS without keys"
                  : "a JWKS without a key that can be used; " + result.passed_over.front());
}

Result<ParsedKeys> set_of(std::string_view text, bool takes_secrets) {
  TRY_VOID(check_length(text));
  JwkText space(text);
  JsonObject set;
  if (!set.read(text, space.space)) {
    return fail(Error::Code::invalid, "not JSON, or a name occurs twice in it");
  }
  const JsonValue* keys = set.find("keys");
  if (keys == nullptr) return fail(Error::Code::invalid, "a JWKS without \"keys\"");
  return keys_of(*keys, takes_secrets);
}

}  // namespace

Result<std::shared_ptr<const Key>> parse_jwk(std::string_view text) {
  TRY_VOID(check_length(text));
  JwkText outer(text);
  JwkText inner(text);
  JsonObject jwk;
  if (!jwk.read(text, outer.space)) {
    return fail(Error::Code::invalid, "not a JSON object, or a name occurs twice in it");
  }
  return key_of(jwk, inner.space, true);
}

Result<ParsedKeys> parse_jwks(std::string_view text) { return set_of(text, false); }

Result<KeySet> parse_key_file(std::string_view text, const std::string& id, AlgorithmSet only) {
  TRY_VOID(check_length(text));
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return fail(Error::Code::invalid, "an empty file");
  if (text[first] != '{') return parse_pem(text, id, only);
  if (!id.empty() || !only.is_empty()) {
    return fail(Error::Code::invalid,
                "a JWK has its own kid and alg; leave both away beside its file");
  }
  JwkText space(text);
  JsonObject object;
  if (object.read(text, space.space) && object.find("keys") != nullptr) {
    TRY(set, set_of(text, true));
    if (set.passed_over.empty()) return std::move(set.keys);
    return fail(Error::Code::invalid, set.passed_over.front());
  }
  TRY(key, parse_jwk(text));
  KeySet keys;
  TRY_VOID(keys.add(std::move(key)));
  return keys;
}

}  // namespace spillway::identity
