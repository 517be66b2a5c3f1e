// identity/sha256.h: SHA-256, and what compares and keys its digests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "base/error.h"
#include "identity/openssl_handles.h"

namespace spillway::identity {

using Sha256Digest = std::array<uint8_t, 32>;

// In the time of any other comparison, whatever they have in common.
bool equal_in_constant_time(const Sha256Digest& a, const Sha256Digest& b);

// Chosen at random when a process starts, so that nobody outside can work out a digest that it is
// part of. Never written down. Immutable value.
struct ProcessSecret {
  Sha256Digest bytes{};
  // From getrandom(2). Error: io.
  static Result<ProcessSecret> make();
};

// Hashes one text after another; 90 ns for a short one under OpenSSL 3.0, of which fetching the
// algorithm each time would be the larger part. One core.
class Sha256 {
 public:
  Sha256();
  Sha256Digest operator()(std::string_view text) { return hash({text}); }
  // Of the texts one after the other; where that could be read in two ways, the caller puts
  // something between them.
  Sha256Digest hash(std::initializer_list<std::string_view> texts);
  // Keyed with the secret, which is as good as HMAC for texts whose digest nobody is shown.
  Sha256Digest keyed(const ProcessSecret& secret, std::initializer_list<std::string_view> texts);

 private:
  void add(std::string_view text);
  DigestHandle algorithm_;
  DigestContext context_;
};

}  // namespace spillway::identity
