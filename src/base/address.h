// base/address.h: IP addresses, prefixes and socket addresses as values.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace spillway {

// An IPv4 or IPv6 address. IPv4 is kept in its IPv4-mapped IPv6 form (RFC 4291 section 2.5.5.2), so
// that 127.0.0.1 seen through a dual-stack listener equals 127.0.0.1. Immutable value.
class IpAddress {
 public:
  IpAddress() = default;  // "::"
  static IpAddress from_v4(uint32_t host_order);
  static IpAddress from_v6(const std::array<uint8_t, 16>& network_order) {
    return IpAddress(network_order);
  }
  // "10.0.0.1" or "2001:db8::1"; no brackets, no zone. Error: invalid.
  static Result<IpAddress> parse(std::string_view text);

  bool is_v4() const;
  bool is_loopback() const;
  bool is_unspecified() const;
  // Whom it belongs to: an IPv4 address itself, an IPv6 one's first `v6_bits`, which most clients
  // have whole. At most 128.
  IpAddress network(uint32_t v6_bits) const;
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }
  auto operator<=>(const IpAddress&) const = default;

 private:
  explicit IpAddress(const std::array<uint8_t, 16>& bytes) : bytes_(bytes) {}
  std::array<uint8_t, 16> bytes_{};
};

// "10.0.0.0/8", "fd00::/8" or a single address. Bits after the prefix must be zero.
class IpPrefix {
 public:
  static Result<IpPrefix> parse(std::string_view text);
  bool contains(const IpAddress& address) const;
  const IpAddress& first() const { return address_; }
  IpAddress last() const;
  bool operator==(const IpPrefix&) const = default;
  std::string text() const;

 private:
  IpAddress address_;
  uint8_t bits_ = 128;  // Of the mapped form: an IPv4 /8 is 104.
};

// Where a socket is bound or connected: IP and port, or the path of a UNIX socket.
struct SocketAddress {
  IpAddress ip;
  uint16_t port = 0;
  std::string unix_path;  // Not empty: a UNIX socket; ip and port mean nothing then.

  // "127.0.0.1:3000", "[::1]:3000", "unix:/run/app.sock". Names are not resolved here.
  static Result<SocketAddress> parse(std::string_view text);
  bool is_unix() const { return !unix_path.empty(); }
  auto operator<=>(const SocketAddress&) const = default;
};

std::string to_string(const IpAddress& address);
inline std::string to_string(const IpPrefix& prefix) { return prefix.text(); }
std::string to_string(const SocketAddress& address);
// Writes without allocating; returns the length. `buffer` holds at least 46 bytes.
size_t write_ip(const IpAddress& address, char* buffer);

}  // namespace spillway

// For tables of addresses that we chose ourselves; clients' addresses want a seeded hash.
template <>
struct std::hash<spillway::SocketAddress> {
  size_t operator()(const spillway::SocketAddress& address) const noexcept {
    if (address.is_unix()) return std::hash<std::string>()(address.unix_path);
    return std::bit_cast<std::array<size_t, 2>>(address.ip.bytes())[1] * 31 + address.port;
  }
};
