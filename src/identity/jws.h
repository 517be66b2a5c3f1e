// identity/jws.h: opens signed tokens in the compact form (RFC 7515).
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string_view>

#include "identity/base64.h"
#include "identity/json.h"
#include "identity/key.h"
#include "identity/token_fault.h"

namespace spillway::identity {

namespace limits {
// A token travels in each request; browsers and servers take 8 KiB of header and little more. A
// longer one is refused unread.
inline constexpr size_t token_bytes_max = 8192;
}  // namespace limits

// Verifies one token after another in the same memory: 22 KiB, and no allocation of our own. One
// core.
class JwsOpener {
 public:
  JwsOpener() = default;
  JwsOpener(const JwsOpener&) = delete;
  JwsOpener& operator=(const JwsOpener&) = delete;

  // The payload of `token`, which lives until the next call, once its signature verifies with a key
  // of `keys`. If the token names a key, those with that id are tried, and if the set has none,
  // those without an id; else all whose algorithms fit, at most keys_tried_max. Only `allowed`
  // algorithms, unless empty. What the header says of keys (jwk, jku, x5c, x5u) is not looked at,
  // and `crit` is refused, for there is no extension that we know (RFC 7515 section 4.1.11).
  std::expected<std::string_view, TokenFault> open(std::string_view token, const KeySet& keys,
                                                   AlgorithmSet allowed = {});
  // `typ` of the token that was opened last; empty if it had none. Lives until the next call.
  std::string_view type() const { return type_; }

  // Free until the next call, and at least as large as the payload.
  JsonSpace space() { return space_; }

 private:
  struct Parts;
  struct Header;
  static std::expected<Parts, TokenFault> split(std::string_view token);
  std::expected<Header, TokenFault> read_header(std::string_view encoded);
  std::expected<std::string_view, TokenFault> decode(std::string_view encoded);
  std::expected<void, TokenFault> verify(const Header& header, std::string_view text,
                                         std::string_view signature, const KeySet& keys);

  static constexpr size_t decoded_bytes_max = base64_bytes(limits::token_bytes_max) + 6;
  VerifyContext context_;
  JsonObject header_;
  std::string_view type_;
  size_t decoded_ = 0;  // Bytes in use of bytes_: header, signature and payload.
  std::array<char, decoded_bytes_max> bytes_;
  std::array<char, decoded_bytes_max> header_space_;
  std::array<char, decoded_bytes_max> space_;
};

}  // namespace spillway::identity
