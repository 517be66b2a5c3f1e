// http/proxy_protocol.h: the PROXY protocol's header, versions 1 and 2, in and out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/address.h"

namespace spillway::http {

// A version 1 line with its CRLF (specification, section 2.1), and what a version 2 header may
// have with its TLVs: the specification promises senders that 536 bytes arrive in one piece.
inline constexpr size_t proxy_v1_bytes_max = 107;
inline constexpr size_t proxy_v2_bytes_max = 536;

// What the load balancer in front of us says of the connection it relays.
struct ProxyHeader {
  // False for LOCAL (the balancer's own health check), UNKNOWN, UNSPEC and UNIX: the addresses of
  // the connection itself hold.
  bool has_addresses = false;
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  IpAddress source;
  IpAddress destination;
};

struct [[nodiscard]] ProxyHeaderResult {
  enum class Kind : uint8_t { need_more, complete, violation };
  Kind kind = Kind::need_more;
  size_t consumed = 0;    // At complete: the client's own bytes start there.
  std::string_view text;  // At violation: a literal. Close without an answer.
};

// Parses the header at the start of `received`; called only for peers that must send one, so its
// absence is a violation, as early as the first wrong byte. Both versions are taken. A CRC-32C TLV
// is verified, all others are checked for length and skipped.
ProxyHeaderResult parse_proxy_header(std::string_view received, ProxyHeader& header);

// Writes a header, returns its length. If has_addresses is false: "UNKNOWN" and LOCAL.
size_t write_proxy_v1(const ProxyHeader& header, std::span<char, proxy_v1_bytes_max> buffer);
inline constexpr size_t proxy_v2_written_max = 52;  // 16 and two IPv6 addresses with ports.
size_t write_proxy_v2(const ProxyHeader& header, std::span<char, proxy_v2_written_max> buffer);

}  // namespace spillway::http
