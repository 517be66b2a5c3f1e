// base/address.cc: reads and writes IP addresses, prefixes and socket addresses.
#include "base/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

#include "base/ascii.h"

namespace spillway {
namespace {

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr size_t unix_path_max = 107;  // sun_path less its NUL (unix(7)).

}  // namespace

IpAddress IpAddress::from_v4(uint32_t host_order) {
  std::array<uint8_t, 16> bytes{};
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
  for (size_t i = 0; i < 4; ++i) bytes[12 + i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
  return IpAddress(bytes);
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) == 1) return from_v4(ntohl(v4.s_addr));
  std::array<uint8_t, 16> v6{};
  if (inet_pton(AF_INET6, terminated.c_str(), v6.data()) == 1) return IpAddress(v6);
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not an IP address such as 10.0.0.1 or 2001:db8::1", text));
}

bool IpAddress::is_v4() const {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  std::array<uint8_t, 16> one{};
  one[15] = 1;
  return bytes_ == one;
}

bool IpAddress::is_unspecified() const {
  return *this == IpAddress() || *this == IpAddress::from_v4(0);
}

IpAddress IpAddress::network(uint32_t v6_bits) const {
  if (is_v4()) return *this;
  std::array<uint8_t, 16> bytes = bytes_;
  for (uint32_t bit = v6_bits; bit < 128; ++bit) {
    bytes[bit / 8] &= static_cast<uint8_t>(~(0x80U >> (bit % 8)));
  }
  return IpAddress(bytes);
}

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  IpPrefix prefix;
  TRY(address, IpAddress::parse(text.substr(0, slash)));
  prefix.address_ = address;
  if (slash == std::string_view::npos) return prefix;

  const auto bits = parse_decimal<uint32_t>(text.substr(slash + 1));
  const uint32_t bits_max = address.is_v4() ? 32 : 128;
  if (!bits || *bits > bits_max) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\": the prefix length is not 0 to {}", text, bits_max));
  }
  prefix.bits_ = static_cast<uint8_t>(*bits + (128 - bits_max));
  for (size_t bit = prefix.bits_; bit < 128; ++bit) {
    if (address.bytes()[bit / 8] & (0x80 >> (bit % 8))) {
      return fail(
          Error::Code::invalid,
          fmt::format("\"{}\" has bits set after its prefix; write the first address", text));
    }
  }
  return prefix;
}

bool IpPrefix::contains(const IpAddress& address) const {
  const size_t whole = bits_ / 8;
  if (std::memcmp(address.bytes().data(), address_.bytes().data(), whole) != 0) return false;
  if (bits_ % 8 == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff00 >> (bits_ % 8));
  return ((address.bytes()[whole] ^ address_.bytes()[whole]) & mask) == 0;
}

IpAddress IpPrefix::last() const {
  std::array<uint8_t, 16> bytes = address_.bytes();
  for (uint32_t bit = bits_; bit < 128; ++bit) {
    bytes[bit / 8] |= static_cast<uint8_t>(0x80U >> (bit % 8));
  }
  return IpAddress::from_v6(bytes);
}

std::string IpPrefix::text() const {
  const int bits = address_.is_v4() ? bits_ - 96 : bits_;
  return fmt::format("{}/{}", to_string(address_), bits);
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  constexpr std::string_view unix_scheme = "unix:";
  SocketAddress result;
  if (text.starts_with(unix_scheme)) {
    result.unix_path = text.substr(unix_scheme.size());
    if (result.unix_path.empty() || result.unix_path.size() > unix_path_max ||
        result.unix_path.find('\0') != std::string::npos) {
      return fail(Error::Code::invalid,
                  fmt::format("\"{}\": a UNIX socket path has 1 to {} bytes", text, unix_path_max));
    }
    return result;
  }
  const size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : parse_decimal<uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (!port) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not an address such as 127.0.0.1:3000, [::1]:3000 or "
                            "unix:/run/app.sock",
                            text));
  }
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  TRY(ip, IpAddress::parse(host));
  if (bracketed == ip.is_v4()) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\": an IPv6 address with a port is written [::1]:3000", text));
  }
  result.ip = ip;
  result.port = *port;
  return result;
}

size_t write_ip(const IpAddress& address, char* buffer) {
  if (!address.is_v4()) {
    inet_ntop(AF_INET6, address.bytes().data(), buffer, INET6_ADDRSTRLEN);
    return std::strlen(buffer);
  }
  // By hand: inet_ntop formats these with sprintf, which shows in every proxied request.
  char* to = buffer;
  for (size_t i = 12; i < 16; ++i) {
    if (i > 12) *to++ = '.';
    to = std::to_chars(to, to + 3, address.bytes()[i]).ptr;
  }
  *to = '\0';
  return static_cast<size_t>(to - buffer);
}

std::string to_string(const IpAddress& address) {
  char buffer[INET6_ADDRSTRLEN];
  return std::string(buffer, write_ip(address, buffer));
}

std::string to_string(const SocketAddress& address) {
  if (address.is_unix()) return "unix:" + address.unix_path;
  if (address.ip.is_v4()) return fmt::format("{}:{}", to_string(address.ip), address.port);
  return fmt::format("[{}]:{}", to_string(address.ip), address.port);
}

}  // namespace spillway
