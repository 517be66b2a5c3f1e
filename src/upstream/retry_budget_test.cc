// upstream/retry_budget_test.cc: windows forget, and budgets hold when everything fails.
#include "upstream/retry_budget.h"

#include <gtest/gtest.h>

namespace spillway::upstream {
namespace {

constexpr Instant start = Instant::from_nanoseconds(1'000'000'000'000);

TEST(RollingWindow, forgets_what_is_older_than_ten_seconds) {
  RollingWindow<1> window;
  window.add(0, start);
  window.add(0, start + 5s);
  EXPECT_EQ(window.sum(0, start + 8s), 2U);
  EXPECT_EQ(window.sum(0, start + 11s), 1U);
  EXPECT_EQ(window.sum(0, start + 16s), 0U);
}

TEST(RollingWindow, survives_long_silence_and_clocks_that_lag) {
  RollingWindow<1> window;
  window.add(0, start);
  window.add(0, start + 1000h);
  window.add(0, start + 1000h - 3s);  // Another core's loop is behind: counted as now.
  EXPECT_EQ(window.sum(0, start + 1000h), 2U);
  EXPECT_EQ(window.sum(0, start + 2000h), 0U);
}

TEST(RetryBudget, allows_the_least_rate_without_requests) {
  RetryBudget budget({.share = Share::percent(20), .least = {.count = 2, .per = 1s}});
  int taken = 0;
  while (budget.try_take(start)) ++taken;
  EXPECT_EQ(taken, 20);  // 2/s over ten seconds.
  EXPECT_FALSE(budget.try_take(start + 5s));
  EXPECT_TRUE(budget.try_take(start + 11s));
}

TEST(RetryBudget, allows_a_share_of_many_requests) {
  RetryBudget budget({.share = Share::percent(20), .least = {.count = 1, .per = 1s}});
  for (int i = 0; i < 1000; ++i) budget.count_request(start);
  int taken = 0;
  while (budget.try_take(start + 1s)) ++taken;
  EXPECT_EQ(taken, 200);
}

TEST(RetryBudget, allows_nothing_with_a_share_and_least_of_zero) {
  RetryBudget budget({.share = Share::percent(0), .least = {.count = 0, .per = 1s}});
  for (int i = 0; i < 1000; ++i) budget.count_request(start);
  EXPECT_FALSE(budget.try_take(start));
}

}  // namespace
}  // namespace spillway::upstream
