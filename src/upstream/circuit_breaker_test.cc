// upstream/circuit_breaker_test.cc: the three states, case by case.
#include "upstream/circuit_breaker.h"

#include <gtest/gtest.h>

namespace spillway::upstream {
namespace {

using Verdict = CircuitBreaker::Verdict;
using State = CircuitBreaker::State;

constexpr Instant start = Instant::from_nanoseconds(1'000'000'000'000);
constexpr BreakerConfig config{.error_share = Share{0.5}, .requests = 10, .open = 30s};

void settle_many(CircuitBreaker& breaker, int count, Verdict verdict, Instant now) {
  for (int i = 0; i < count; ++i) breaker.settle(verdict, breaker.acquire(now), now, now);
}

CircuitBreaker opened_at(Instant now) {
  CircuitBreaker breaker(config, start);
  settle_many(breaker, 10, Verdict::bad, now);
  return breaker;
}

TEST(CircuitBreaker, opens_only_at_its_share_and_minimum) {
  struct Case {
    int good;
    int bad;
    State expected;
  };
  for (const Case& c :
       {Case{0, 9, State::closed}, Case{0, 10, State::open}, Case{6, 5, State::closed},
        Case{5, 5, State::open}, Case{20, 19, State::closed}, Case{20, 20, State::open}}) {
    CircuitBreaker breaker(config, start);
    settle_many(breaker, c.good, Verdict::good, start);
    settle_many(breaker, c.bad, Verdict::bad, start);
    EXPECT_EQ(breaker.state(), c.expected) << c.good << " good, " << c.bad << " bad";
  }
}

TEST(CircuitBreaker, forgets_failures_of_long_ago) {
  CircuitBreaker breaker(config, start);
  settle_many(breaker, 9, Verdict::bad, start);
  settle_many(breaker, 9, Verdict::bad, start + 12s);
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(CircuitBreaker, does_not_count_client_aborts_nor_refused_connections) {
  CircuitBreaker breaker(config, start);
  settle_many(breaker, 1000, Verdict::nothing, start);
  settle_many(breaker, 1000, Verdict::refused, start);
  settle_many(breaker, 9, Verdict::bad, start);
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(CircuitBreaker, lets_one_trial_through_after_its_time) {
  CircuitBreaker breaker = opened_at(start);
  EXPECT_FALSE(breaker.admits(start + 29s));
  ASSERT_TRUE(breaker.admits(start + 30s));
  EXPECT_TRUE(breaker.acquire(start + 30s));
  EXPECT_EQ(breaker.state(), State::half_open);
  EXPECT_FALSE(breaker.admits(start + 31s));
}

TEST(CircuitBreaker, is_closed_by_a_good_trial_and_opened_by_a_bad_one) {
  for (const auto& [verdict, expected] :
       {std::pair{Verdict::good, State::closed}, std::pair{Verdict::bad, State::open},
        std::pair{Verdict::refused, State::open}}) {
    CircuitBreaker breaker = opened_at(start);
    const Instant tried = start + 30s;
    ASSERT_TRUE(breaker.acquire(tried));
    EXPECT_EQ(breaker.settle(verdict, true, tried, tried + 1s), expected == State::open);
    EXPECT_EQ(breaker.state(), expected);
    EXPECT_EQ(breaker.admits(tried + 1s), expected == State::closed);
  }
}

TEST(CircuitBreaker, hands_back_a_trial_that_taught_nothing) {
  CircuitBreaker breaker = opened_at(start);
  ASSERT_TRUE(breaker.acquire(start + 30s));
  breaker.settle(Verdict::nothing, true, start + 30s, start + 31s);
  EXPECT_TRUE(breaker.admits(start + 31s));
  EXPECT_TRUE(breaker.acquire(start + 31s));
}

TEST(CircuitBreaker, replaces_a_trial_that_never_ends) {
  CircuitBreaker breaker = opened_at(start);
  ASSERT_TRUE(breaker.acquire(start + 30s));
  ASSERT_TRUE(breaker.admits(start + 60s));
  ASSERT_TRUE(breaker.acquire(start + 60s));
  breaker.settle(Verdict::bad, true, start + 30s, start + 61s);  // The first one, late.
  EXPECT_EQ(breaker.state(), State::half_open);
  breaker.settle(Verdict::good, true, start + 60s, start + 62s);
  EXPECT_EQ(breaker.state(), State::closed);
}

TEST(CircuitBreaker, ignores_late_failures_of_requests_from_before_it_closed) {
  CircuitBreaker breaker = opened_at(start);
  ASSERT_TRUE(breaker.acquire(start + 30s));
  breaker.settle(Verdict::good, true, start + 30s, start + 31s);
  for (int i = 0; i < 100; ++i) breaker.settle(Verdict::bad, false, start, start + 32s);
  EXPECT_EQ(breaker.state(), State::closed);
}

}  // namespace
}  // namespace spillway::upstream
