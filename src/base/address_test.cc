// base/address_test.cc: addresses, prefixes and the forms they are written in.
#include "base/address.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(Address, mapped_and_plain_ipv4_are_the_same_address) {
  EXPECT_EQ(*IpAddress::parse("::ffff:10.0.0.1"), *IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(to_string(*IpAddress::parse("::ffff:10.0.0.1")), "10.0.0.1");
}

TEST(Address, prefixes_contain_what_they_cover) {
  const auto ten = *IpPrefix::parse("10.0.0.0/8");
  EXPECT_TRUE(ten.contains(*IpAddress::parse("10.255.1.2")));
  EXPECT_FALSE(ten.contains(*IpAddress::parse("11.0.0.1")));
  const auto odd = *IpPrefix::parse("2001:db8::/33");
  EXPECT_TRUE(odd.contains(*IpAddress::parse("2001:db8:7fff::1")));
  EXPECT_FALSE(odd.contains(*IpAddress::parse("2001:db8:8000::1")));
  EXPECT_TRUE(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("1.2.3.4")));
  EXPECT_FALSE(IpPrefix::parse("0.0.0.0/0")->contains(*IpAddress::parse("::1")));
  EXPECT_EQ(ten.text(), "10.0.0.0/8");
}

TEST(Address, refuses_prefixes_that_name_a_host) {
  for (const char* text : {"10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "x/8"}) {
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
  }
}

TEST(Address, socket_addresses_round_trip) {
  for (const char* text : {"127.0.0.1:3000", "[::1]:3000", "unix:/run/app.sock"}) {
    EXPECT_EQ(to_string(*SocketAddress::parse(text)), text);
  }
  for (const char* text :
       {"", "127.0.0.1", "::1:3000", "[127.0.0.1]:80", "1.2.3.4:65536", "unix:", "localhost:80"}) {
    EXPECT_FALSE(SocketAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace spillway
