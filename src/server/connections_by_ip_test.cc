// server/connections_by_ip_test.cc: a client's connections are counted, whoever serves them.
#include "server/connections_by_ip.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace spillway::server {
namespace {

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

TEST(ConnectionsByIp, refuses_one_more_than_the_most_until_one_ends) {
  ConnectionsByIp connections;
  auto first = connections.take(ip("192.0.2.1"), 2);
  {
    const auto second = connections.take(ip("192.0.2.1"), 2);
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(connections.take(ip("192.0.2.1"), 2));
    EXPECT_TRUE(connections.take(ip("192.0.2.2"), 2));
  }
  EXPECT_TRUE(connections.take(ip("192.0.2.1"), 2));
  first.reset();
  EXPECT_EQ(connections.clients(), 0U);
}

TEST(ConnectionsByIp, counts_an_ipv6_network_as_one_client) {
  ConnectionsByIp connections;
  const auto first = connections.take(ip("2001:db8:1:2::1"), 1);
  EXPECT_FALSE(connections.take(ip("2001:db8:1:2:ffff::1"), 1));
  EXPECT_TRUE(connections.take(ip("2001:db8:1:3::1"), 1));
}

TEST(ConnectionsByIp, is_exact_over_threads) {
  constexpr size_t most = 100;
  ConnectionsByIp connections;
  std::vector<std::vector<ConnectionsByIp::Place>> taken(4);
  std::vector<std::jthread> threads;
  for (auto& places : taken) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        if (auto place = connections.take(ip("192.0.2.1"), most)) {
          places.push_back(std::move(*place));
        }
      }
    });
  }
  threads.clear();
  size_t sum = 0;
  for (const auto& places : taken) sum += places.size();
  EXPECT_EQ(sum, most);
  taken.clear();
  EXPECT_EQ(connections.clients(), 0U);
}

}  // namespace
}  // namespace spillway::server
