// telemetry/active_users_test.cc: each client once, within the stated error, for five minutes.
#include "telemetry/active_users.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace spillway::telemetry {
namespace {

constexpr Instant start = Instant::from_nanoseconds(1'000'000'000'000);

double estimate(const std::vector<std::unique_ptr<ActiveUsers>>& cores, Instant now) {
  std::vector<const ActiveUsers*> pointers;
  for (const auto& core : cores) pointers.push_back(core.get());
  return ActiveUsers::estimate(pointers, now);
}

std::vector<std::unique_ptr<ActiveUsers>> make(size_t cores) {
  std::vector<std::unique_ptr<ActiveUsers>> result;
  for (size_t i = 0; i < cores; ++i) result.push_back(std::make_unique<ActiveUsers>());
  return result;
}

TEST(ActiveUsers, is_zero_when_nobody_came) {
  EXPECT_EQ(estimate(make(2), start), 0);
  EXPECT_EQ(ActiveUsers::estimate({}, start), 0);
}

TEST(ActiveUsers, stays_within_five_standard_errors_from_ten_to_a_million) {
  for (uint64_t users = 10; users <= 1'000'000; users *= 10) {
    const auto cores = make(2);
    for (uint64_t i = 0; i < users; ++i) {
      cores[i % 2]->add(client_key(std::to_string(i), 42), start);
    }
    const double error = 5 * 1.04 / std::sqrt(double{ActiveUsers::registers});
    EXPECT_NEAR(estimate(cores, start), static_cast<double>(users),
                static_cast<double>(users) * error);
  }
}

TEST(ActiveUsers, counts_a_client_of_two_cores_and_two_minutes_once) {
  const auto cores = make(2);
  for (uint64_t user = 0; user < 50; ++user) {
    cores[0]->add(user, start);
    cores[1]->add(user, start);
    cores[0]->add(user, start + 1min);
  }
  EXPECT_NEAR(estimate(cores, start + 1min), 50, 1);
}

TEST(ActiveUsers, remembers_five_minutes_and_forgets_after_six) {
  const auto cores = make(1);
  cores[0]->add(1, start);
  EXPECT_NEAR(estimate(cores, start + 5min), 1, 0.1);
  EXPECT_EQ(estimate(cores, start + 6min), 0);
  cores[0]->add(2, start + 60min);
  EXPECT_NEAR(estimate(cores, start + 60min), 1, 0.1);
}

TEST(ActiveUsers, takes_an_ipv6_network_for_one_client) {
  const auto key = [](std::string_view text) {
    return client_key(IpAddress::parse(text).value(), 1);
  };
  EXPECT_EQ(key("2001:db8::1"), key("2001:db8::ffff:2"));
  EXPECT_NE(key("2001:db8:0:1::1"), key("2001:db8::1"));
  EXPECT_NE(key("10.0.0.1"), key("10.0.0.2"));
  EXPECT_NE(client_key("alice", 1), client_key("alice", 2));
}

}  // namespace
}  // namespace spillway::telemetry
