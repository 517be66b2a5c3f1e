// identity/password_hash.cc: reads the forms of crypt(5) and asks crypt(3).
#include "identity/password_hash.h"

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/ascii.h"
#include "identity/base64.h"

namespace spillway::identity {
namespace {

constexpr std::string_view forms =
    "expected bcrypt ($2y$...), SHA-crypt ($5$... or $6$...) or {SHA256} and a digest";
constexpr std::string_view plain_form = "{SHA256}";

std::unexpected<Error> refuse(std::string_view found) {
  return fail(Error::Code::invalid, fmt::format("{}; {}", found, forms));
}

// "$2y$10$" and 53 characters of crypt's own base64: 22 of salt, 31 of hash.
Result<void> check_bcrypt(std::string_view text) {
  constexpr size_t whole = 60;
  const auto cost = parse_decimal<int>(text.substr(4, 2));
  if (text.size() != whole || text[6] != '$' || !cost)
    return refuse("a bcrypt hash that is not whole");
  constexpr int least = 4;
  if (*cost < least || *cost > limits::bcrypt_cost_max) {
    return refuse(fmt::format("a bcrypt hash of cost {}, which is not {} to {}", *cost, least,
                              limits::bcrypt_cost_max));
  }
  return {};
}

// "$6$", perhaps "rounds=5000$", a salt, "$" and the hash.
Result<void> check_sha_crypt(std::string_view text) {
  const size_t hash_characters = text[1] == '5' ? 43 : 86;
  std::string_view rest = text.substr(3);
  constexpr std::string_view rounds_mark = "rounds=";
  if (rest.starts_with(rounds_mark)) {
    rest.remove_prefix(rounds_mark.size());
    const size_t end = std::min(rest.find('$'), rest.size());
    const auto rounds = parse_decimal<int>(rest.substr(0, end));
    if (!rounds || *rounds > limits::crypt_rounds_max) {
      return refuse(fmt::format("a hash of more than {} rounds", limits::crypt_rounds_max));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const size_t salt = rest.find('$');
  constexpr size_t salt_max = 16;
  if (salt > salt_max || rest.size() - salt - 1 != hash_characters) {
    return refuse("a SHA-crypt hash that is not whole");
  }
  return {};
}

std::optional<Sha256Digest> parse_digest(std::string_view text) {
  Sha256Digest digest;
  if (text.size() == 2 * digest.size()) {
    for (size_t i = 0; i < digest.size(); ++i) {
      const int high = hex_value(text[2 * i]);
      const int low = hex_value(text[2 * i + 1]);
      if (high < 0 || low < 0) return std::nullopt;
      digest[i] = static_cast<uint8_t>(high << 4 | low);
    }
    return digest;
  }
  std::array<char, 48> bytes;
  constexpr size_t encoded = 44;
  if (text.size() != encoded || decode_base64(text, bytes) != digest.size()) return std::nullopt;
  std::copy_n(bytes.begin(), digest.size(), digest.begin());
  return digest;
}

bool is_crypt_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return is_alpha(c) || is_digit(c) || c == '.' || c == '/' || c == '$' || c == '=';
  });
}

}  // namespace

Result<PasswordHash> PasswordHash::parse(std::string_view text) {
  PasswordHash result;
  if (text.starts_with(plain_form)) {
    const auto digest = parse_digest(text.substr(plain_form.size()));
    if (!digest) return refuse("a {SHA256} that is no digest in base64 or hexadecimal");
    result.digest_ = *digest;
    return result;
  }
  constexpr size_t shortest = 10;  // So that the checks may look at the first characters.
  const auto begins = [text](std::string_view mark) { return text.starts_with(mark); };
  if (text.size() < shortest || !is_crypt_text(text)) return refuse("no hash of a password");
  if (begins("$2a$") || begins("$2b$") || begins("$2y$")) {
    TRY_VOID(check_bcrypt(text));
  } else if (begins("$5$") || begins("$6$")) {
    TRY_VOID(check_sha_crypt(text));
  } else if (begins("$apr1$") || begins("$1$")) {
    return refuse("an MD5 hash, which is too weak; `htpasswd -B` makes a better one");
  } else {
    return refuse("a hash of another form");
  }
  result.crypt_ = text;
  return result;
}

bool PasswordHash::verifies(std::string_view password) const {
  if (password.size() > limits::password_bytes_max) return false;
  if (!is_slow()) return equal_in_constant_time(Sha256()(password), digest_);
  std::string phrase(password);  // crypt(3) wants its end marked.
  const auto data = std::make_unique<crypt_data>();
  const char* made = crypt_r(phrase.c_str(), crypt_.c_str(), data.get());
  const bool fits = made != nullptr && std::string_view(made).size() == crypt_.size() &&
                    CRYPTO_memcmp(made, crypt_.data(), crypt_.size()) == 0;
  OPENSSL_cleanse(phrase.data(), phrase.size());
  OPENSSL_cleanse(data.get(), sizeof(crypt_data));
  return fits;
}

}  // namespace spillway::identity
