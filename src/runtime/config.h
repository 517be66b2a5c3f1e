// runtime/config.h: the words of TLS that a plan and the runtime share.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace spillway::runtime {

// The oldest version of TLS that is spoken (RFC 8446, RFC 5246; older ones are dead, RFC 8996).
enum class TlsVersion : uint8_t { tls12, tls13 };
constexpr std::array<std::string_view, 2> enum_names(TlsVersion) { return {"1.2", "1.3"}; }

// How keys are agreed on (RFC 8446 section 4.2.7, draft-ietf-tls-ecdhe-mlkem), the hybrid groups
// that withstand quantum computers first.
enum class TlsGroup : uint8_t {
  x25519_mlkem768,
  secp256r1_mlkem768,
  secp384r1_mlkem1024,
  x25519,
  p256,
  p384,
  x448,
  p521,
  // Not for a plan, but what a handshake may have come to:
  none,  // A resumed session without a key exchange, or one of RSA.
  other,
};
inline constexpr size_t tls_group_count = 10;
constexpr std::array<std::string_view, 8> enum_names(TlsGroup) {
  return {"X25519MLKEM768",
          "SecP256r1MLKEM768",
          "SecP384r1MLKEM1024",
          "X25519",
          "P-256",
          "P-384",
          "X448",
          "P-521"};
}
constexpr std::string_view to_string(TlsGroup group) {
  if (group == TlsGroup::none) return "none";
  if (group == TlsGroup::other) return "other";
  return enum_names(group)[static_cast<size_t>(group)];
}
constexpr bool is_post_quantum(TlsGroup group) { return group <= TlsGroup::secp384r1_mlkem1024; }

// Whether clients have to show a certificate of their own.
enum class TlsClientCertificates : uint8_t { ignored, optional, required };

}  // namespace spillway::runtime
