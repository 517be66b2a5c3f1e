// identity/basic.cc: reads credentials, checks them, remembers which were right.
#include "identity/basic.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::identity {
namespace {

bool is_control(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= limits::user_bytes_max && !name.contains(':') &&
         std::ranges::none_of(name, is_control);
}

}  // namespace

BasicText::~BasicText() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

std::optional<BasicCredentials> BasicText::parse(std::string_view encoded) {
  if (encoded.size() > limits::basic_text_bytes_max) return std::nullopt;
  const auto size = decode_base64(encoded, bytes_);
  if (!size) return std::nullopt;
  const std::string_view text(bytes_.data(), *size);
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || std::ranges::any_of(text, is_control)) return std::nullopt;
  const BasicCredentials result{.user = text.substr(0, colon), .password = text.substr(colon + 1)};
  const bool fits =
      is_user_name(result.user) && result.password.size() <= limits::password_bytes_max;
  return fits ? std::optional(result) : std::nullopt;
}

Result<BasicUsers> BasicUsers::make(const std::map<std::string, std::string>& users) {
  if (users.size() > limits::basic_users_max) {
    return fail(Error::Code::limit_exceeded, fmt::format("{} users; at most {} are held",
                                                         users.size(), limits::basic_users_max));
  }
  BasicUsers result;
  for (const auto& [name, text] : users) {
    if (!is_user_name(name)) {
      return fail(Error::Code::invalid,
                  "a user's name is empty, too long, or has a colon or a control character");
    }
    auto hash = PasswordHash::parse(text);
    if (!hash) {
      return fail(Error::Code::invalid, fmt::format("user \"{}\": {}", name, hash.error().detail));
    }
    // Strangers take as long as the slow ones, or their names could be told from users'.
    if (hash->is_slow() || !result.stranger_.hash.is_slow()) result.stranger_.hash = *hash;
    result.users_.emplace(name, Record{.hash = *std::move(hash)});
  }
  return result;
}

const BasicUsers::Record& BasicUsers::record_of(std::string_view user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? stranger_ : found->second;
}

bool BasicUsers::check(const BasicCredentials& credentials) const {
  const Record& record = record_of(credentials.user);
  const bool fits = record.hash.verifies(credentials.password);
  return fits && record.is_known;
}

Result<std::map<std::string, std::string>> parse_user_file(std::string_view text) {
  std::map<std::string, std::string> users;
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      return fail(Error::Code::invalid,
                  fmt::format("line {} has no colon; expected NAME:HASH", number));
    }
    const std::string_view rest = line.substr(colon + 1);
    const std::string_view hash = rest.substr(0, rest.find(':'));
    if (!users.emplace(line.substr(0, colon), hash).second) {
      return fail(Error::Code::invalid, fmt::format("line {} repeats a user", number));
    }
  }
  return users;
}

Sha256Digest VerifiedCredentials::digest_of(const BasicCredentials& credentials) {
  // No user has a colon in the name.
  return sha256_.keyed(secret_, {credentials.user, ":", credentials.password});
}

VerifiedCredentials::Set& VerifiedCredentials::set_of(const Sha256Digest& digest) {
  uint64_t word;
  std::memcpy(&word, digest.data(), sizeof word);
  return sets_[word % sets_count];
}

VerifiedCredentials::Answer VerifiedCredentials::look_up(const BasicUsers& users,
                                                         const BasicCredentials& credentials) {
  if (!users.is_slow(credentials.user)) {
    return users.check(credentials) ? Answer::verified : Answer::refused;
  }
  if (sets_.empty()) return Answer::needs_hash;
  const Sha256Digest digest = digest_of(credentials);
  const Set& set = set_of(digest);
  const auto used = std::span(set.digests).first(set.used);
  const bool is_there = std::ranges::any_of(
      used, [&digest](const Sha256Digest& one) { return equal_in_constant_time(one, digest); });
  return is_there ? Answer::verified : Answer::needs_hash;
}

void VerifiedCredentials::remember(const BasicCredentials& credentials) {
  if (sets_.empty()) sets_.resize(sets_count);
  const Sha256Digest digest = digest_of(credentials);
  Set& set = set_of(digest);
  const auto used = std::span(set.digests).first(set.used);
  if (std::ranges::find(used, digest) != used.end()) return;
  set.digests[set.next] = digest;
  set.next = static_cast<uint8_t>((set.next + 1) % set_size);
  set.used = std::max(set.used, set.next == 0 ? static_cast<uint8_t>(set_size) : set.next);
}

}  // namespace spillway::identity
