// http/proxy_protocol_test.cc: both versions in and out, and what a balancer would never send.
#include "http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace spillway::http {
namespace {

using Kind = ProxyHeaderResult::Kind;
using namespace std::string_literals;

const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
const std::string v4_block("\x0a\0\0\x01\x0a\0\0\x02\x04\xd2\0\x50", 12);

std::string v2(uint8_t command, uint8_t family, const std::string& rest) {
  std::string bytes = signature;
  bytes += static_cast<char>(command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes + rest;
}

Kind kind_of(std::string_view bytes) {
  ProxyHeader header;
  return parse_proxy_header(bytes, header).kind;
}

TEST(ProxyProtocol, reads_version_1) {
  const std::string line = "PROXY TCP4 192.168.0.1 10.0.0.2 56324 443\r\n";
  ProxyHeader header;
  for (size_t size = 0; size < line.size(); ++size) {
    ASSERT_EQ(parse_proxy_header(line.substr(0, size), header).kind, Kind::need_more) << size;
  }
  const auto result = parse_proxy_header(line + "GET /", header);
  ASSERT_EQ(result.kind, Kind::complete);
  EXPECT_EQ(result.consumed, line.size());
  EXPECT_TRUE(header.has_addresses);
  EXPECT_EQ(header.source, *IpAddress::parse("192.168.0.1"));
  EXPECT_EQ(header.destination, *IpAddress::parse("10.0.0.2"));
  EXPECT_EQ(header.source_port, 56324);
  EXPECT_EQ(header.destination_port, 443);
}

TEST(ProxyProtocol, unknown_and_local_keep_the_sockets_addresses) {
  ProxyHeader header;
  const std::string unknown = "PROXY UNKNOWN ffff::1 ::1 1 2\r\n";
  EXPECT_EQ(parse_proxy_header(unknown, header).consumed, unknown.size());
  EXPECT_FALSE(header.has_addresses);
  EXPECT_EQ(parse_proxy_header(v2(0x20, 0x11, v4_block), header).consumed, 28U);
  EXPECT_FALSE(header.has_addresses);
  EXPECT_EQ(parse_proxy_header(v2(0x21, 0x00, "ab"), header).consumed, 18U);
  EXPECT_FALSE(header.has_addresses);
  EXPECT_EQ(parse_proxy_header(v2(0x21, 0x31, std::string(216, 'a')), header).consumed, 232U);
  EXPECT_FALSE(header.has_addresses);
}

TEST(ProxyProtocol, refuses_malformed_lines) {
  for (const char* line :
       {"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY \r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
        "GET / HTTP/1.1\r\n", "PROXX", "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"}) {
    EXPECT_EQ(kind_of(line), Kind::violation) << line;
  }
  EXPECT_EQ(kind_of("PROXY UNKNOWN " + std::string(93, 'a')), Kind::violation);
  EXPECT_EQ(kind_of("PROXY UNKNOWN " + std::string(92, 'a')), Kind::need_more);
}

TEST(ProxyProtocol, reads_version_2_with_tlvs) {
  const std::string bytes = v2(0x21, 0x11, v4_block + "\x01\0\x02h2\x04\0\0"s);
  ProxyHeader header;
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(parse_proxy_header(bytes.substr(0, size), header).kind, Kind::need_more) << size;
  }
  EXPECT_EQ(parse_proxy_header(bytes + "x", header).consumed, bytes.size());
  EXPECT_EQ(header.source, *IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(header.source_port, 1234);
  EXPECT_EQ(header.destination_port, 80);
}

TEST(ProxyProtocol, verifies_a_checksum) {
  // CRC-32C of the header with four zero bytes in the checksum's place.
  std::string bytes = v2(0x21, 0x11, v4_block + "\x03\0\x04\0\0\0\0"s);
  EXPECT_EQ(kind_of(bytes), Kind::violation);
  bytes.replace(bytes.size() - 4, 4, "\xf0\x92\xf7\x51"s);
  EXPECT_EQ(kind_of(bytes), Kind::complete);
}

TEST(ProxyProtocol, refuses_malformed_binary_headers) {
  EXPECT_EQ(kind_of(v2(0x11, 0x11, v4_block)), Kind::violation);  // Version 1.
  EXPECT_EQ(kind_of(v2(0x22, 0x11, v4_block)), Kind::violation);  // Unknown command.
  EXPECT_EQ(kind_of(v2(0x21, 0x12, v4_block)), Kind::violation);  // Datagrams.
  EXPECT_EQ(kind_of(v2(0x21, 0x41, v4_block)), Kind::violation);  // Unknown family.
  EXPECT_EQ(kind_of(v2(0x21, 0x10, v4_block)), Kind::violation);
  EXPECT_EQ(kind_of(v2(0x21, 0x11, v4_block.substr(1))), Kind::violation);
  EXPECT_EQ(kind_of(v2(0x21, 0x21, v4_block)), Kind::violation);
  EXPECT_EQ(kind_of(v2(0x21, 0x11, v4_block + "\x01\0\x09h2"s)), Kind::violation);
  EXPECT_EQ(kind_of(v2(0x21, 0x11, v4_block + "\x01\0"s)), Kind::violation);
  EXPECT_EQ(kind_of(v2(0x21, 0x11, v4_block + "\x03\0\x01\0"s)), Kind::violation);
  EXPECT_EQ(kind_of(v2(0x20, 0x00, std::string(521, 'a'))), Kind::violation);
  EXPECT_EQ(kind_of(signature.substr(0, 5) + "x"), Kind::violation);
}

TEST(ProxyProtocol, what_is_written_is_read_again) {
  for (const auto& [source, destination] :
       {std::pair{"10.0.0.1", "10.0.0.2"}, std::pair{"2001:db8::1", "::1"},
        std::pair{"10.0.0.1", "2001:db8:1111:2222:3333:4444:5555:6666"}}) {
    const ProxyHeader header{.has_addresses = true,
                             .source_port = 65535,
                             .destination_port = 1,
                             .source = *IpAddress::parse(source),
                             .destination = *IpAddress::parse(destination)};
    std::array<char, proxy_v1_bytes_max> v1;
    std::array<char, proxy_v2_written_max> v2_bytes;
    for (const std::string_view bytes :
         {std::string_view(v1.data(), write_proxy_v1(header, v1)),
          std::string_view(v2_bytes.data(), write_proxy_v2(header, v2_bytes))}) {
      ProxyHeader again;
      EXPECT_EQ(parse_proxy_header(bytes, again).consumed, bytes.size());
      EXPECT_EQ(again.source, header.source);
      EXPECT_EQ(again.destination, header.destination);
      EXPECT_EQ(again.source_port, 65535);
      EXPECT_EQ(again.destination_port, 1);
    }
  }
  std::array<char, proxy_v1_bytes_max> v1;
  EXPECT_EQ(std::string_view(v1.data(), write_proxy_v1({}, v1)), "PROXY UNKNOWN\r\n");
}

}  // namespace
}  // namespace spillway::http
