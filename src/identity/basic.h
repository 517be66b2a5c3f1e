// identity/basic.h: users and passwords of HTTP's basic authentication (RFC 7617).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "identity/base64.h"
#include "identity/password_hash.h"
#include "identity/sha256.h"

namespace spillway::identity {

namespace limits {
inline constexpr size_t basic_users_max = 10'000;
inline constexpr size_t user_bytes_max = 256;
// Of the base64 text: a user and a password of the greatest length and the colon.
inline constexpr size_t basic_text_bytes_max = 688;
// A core remembers so many users at most, 48 KiB; one more takes the place of another, whose next
// request is hashed again.
inline constexpr size_t verified_credentials_max = 1024;
}  // namespace limits

struct BasicCredentials {
  std::string_view user;
  std::string_view password;
};

// The credentials of one request and the bytes of them. One core.
class BasicText {
 public:
  BasicText() = default;
  BasicText(const BasicText&) = delete;
  BasicText& operator=(const BasicText&) = delete;
  ~BasicText();
  // What follows "Basic " in Authorization; the views live as long as this object. Nothing unless
  // it is base64 of a user, a colon and a password without control characters (RFC 7617 section
  // 2), within the limits.
  std::optional<BasicCredentials> parse(std::string_view encoded);

 private:
  std::array<char, base64_bytes(limits::basic_text_bytes_max)> bytes_;
};

// The users of one plan. Immutable; any thread.
class BasicUsers {
 public:
  // Hashes by name. Error: invalid, naming the user; limit_exceeded.
  static Result<BasicUsers> make(const std::map<std::string, std::string>& users);

  // Somebody unknown is treated as a user whose password is wrong, in the time that takes.
  bool is_slow(std::string_view user) const { return record_of(user).hash.is_slow(); }
  bool has_slow() const { return stranger_.hash.is_slow(); }
  bool check(const BasicCredentials& credentials) const;

 private:
  struct Record {
    PasswordHash hash;
    bool is_known = true;
  };
  const Record& record_of(std::string_view user) const;
  std::map<std::string, Record, std::less<>> users_;
  Record stranger_{.is_known = false};
};

// "name:hash" on each line, as htpasswd writes it; empty lines and those with a # are passed over.
// Error: invalid, with the line's number.
Result<std::map<std::string, std::string>> parse_user_file(std::string_view text);

// Credentials that were checked, so that a slow hash is made once for each and not for each
// request. Holds keyed digests and nothing of the credentials themselves. For one plan's users, so
// that a password that was changed is forgotten. One core.
class VerifiedCredentials {
 public:
  explicit VerifiedCredentials(const ProcessSecret& secret) : secret_(secret) {}

  enum class Answer : uint8_t {
    verified,
    refused,
    needs_hash,  // BasicUsers::check() has to tell, on a thread that may be kept busy.
  };
  Answer look_up(const BasicUsers& users, const BasicCredentials& credentials);
  // After check() was true.
  void remember(const BasicCredentials& credentials);

 private:
  Sha256Digest digest_of(const BasicCredentials& credentials);
  // A digest has its place in one set, whose oldest makes room.
  static constexpr size_t set_size = 4;
  static constexpr size_t sets_count = limits::verified_credentials_max / set_size;
  struct Set {
    std::array<Sha256Digest, set_size> digests{};
    uint8_t used = 0;
    uint8_t next = 0;
  };
  Set& set_of(const Sha256Digest& digest);

  ProcessSecret secret_;
  Sha256 sha256_;
  std::vector<Set> sets_;  // Made with the first that is remembered.
};

}  // namespace spillway::identity
