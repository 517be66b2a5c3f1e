// identity/password_hash.h: a password as it is stored, and whether one fits.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "identity/sha256.h"

namespace spillway::identity {

namespace limits {
// The slowest that is taken: a second or two of one thread for each password that is tried.
inline constexpr int bcrypt_cost_max = 14;
inline constexpr int crypt_rounds_max = 1'000'000;
inline constexpr size_t password_bytes_max = 256;
}  // namespace limits

// Immutable; any thread.
class PasswordHash {
 public:
  // What htpasswd, mkpasswd and doveadm write: bcrypt ("$2y$", "$2b$", "$2a$"), crypt's SHA-256 and
  // SHA-512 ("$5$", "$6$"), or a plain digest for long random passwords ("{SHA256}" and base64 or
  // hexadecimal digits). Error: invalid, naming the form that is wrong or too weak, not the value.
  static Result<PasswordHash> parse(std::string_view text);

  // Whether verifies() takes milliseconds, so that it must not run on a loop's thread.
  bool is_slow() const { return !crypt_.empty(); }
  // Allocates 32 KiB for crypt(3). A password of more than password_bytes_max never fits.
  bool verifies(std::string_view password) const;

 private:
  std::string crypt_;  // Setting and hash, as crypt(3) wants them; empty: the digest.
  Sha256Digest digest_{};
};

}  // namespace spillway::identity
