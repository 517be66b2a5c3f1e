// upstream/endpoint_test.cc: probe verdicts, ejections and slow start of one endpoint.
#include "upstream/endpoint.h"

#include <gtest/gtest.h>

namespace spillway::upstream {
namespace {

constexpr Instant start = Instant::from_nanoseconds(1'000'000'000'000);
using State = HealthVerdict::State;

TEST(HealthVerdict, becomes_healthy_with_the_first_good_probe) {
  HealthVerdict verdict(State::starting, start);
  EXPECT_TRUE(verdict.learn(true, {.successes = 3}, start));
  EXPECT_EQ(verdict.state(), State::healthy);
}

TEST(HealthVerdict, needs_failures_and_successes_in_a_row) {
  const HealthConfig config{.failures = 3, .successes = 2};
  HealthVerdict verdict(State::healthy, start);
  for (const bool is_good : {false, false, true, false, false}) {
    EXPECT_FALSE(verdict.learn(is_good, config, start));
  }
  EXPECT_TRUE(verdict.learn(false, config, start));
  EXPECT_EQ(verdict.state(), State::unhealthy);
  for (const bool is_good : {true, false, true}) {
    EXPECT_FALSE(verdict.learn(is_good, config, start));
  }
  EXPECT_TRUE(verdict.learn(true, config, start));
  EXPECT_EQ(verdict.state(), State::healthy);
}

TEST(HealthVerdict, forgives_failures_within_grace_until_the_first_success) {
  const HealthConfig config{.failures = 1, .grace = 40s};
  HealthVerdict verdict(State::starting, start);
  EXPECT_FALSE(verdict.learn(false, config, start + 39s));
  EXPECT_TRUE(verdict.learn(false, config, start + 40s));
  HealthVerdict once_good(State::starting, start);
  once_good.learn(true, config, start + 1s);
  EXPECT_TRUE(once_good.learn(false, config, start + 2s));
}

TEST(Ejection, suspects_after_failures_in_a_row_only) {
  Ejection ejection({.failures = 3}, start);
  for (const bool is_good : {false, false, true, false, false}) {
    EXPECT_FALSE(ejection.learn(is_good, start, start));
  }
  EXPECT_TRUE(ejection.learn(false, start, start));
  EXPECT_TRUE(ejection.is_suspect());
}

TEST(Ejection, lasts_longer_each_time_up_to_its_limit) {
  Ejection ejection({.failures = 1, .time = 10s, .time_max = 25s}, start);
  Instant now = start;
  for (const Duration expected : {10s, 20s, 25s, 25s}) {
    ejection.eject(now);
    EXPECT_EQ(ejection.ejected_until() - now, expected);
    now = ejection.ejected_until() + 1s;
  }
  now = now + 26s;  // It has behaved for long.
  ejection.eject(now);
  EXPECT_EQ(ejection.ejected_until() - now, 10s);
}

TEST(Ejection, is_not_prolonged_by_failures_of_its_own_time) {
  Ejection ejection({.failures = 2, .time = 10s}, start);
  ejection.eject(start + 1s);
  for (int i = 0; i < 50; ++i) ejection.learn(false, start, start + 12s);
  EXPECT_FALSE(ejection.is_suspect());
}

TEST(Ejection, ends_with_a_good_answer) {
  Ejection ejection({}, start);
  ejection.eject(start + 1s);
  EXPECT_FALSE(ejection.learn(true, start, start + 2s));  // Sent before it failed.
  EXPECT_TRUE(ejection.is_ejected(start + 2s));
  EXPECT_TRUE(ejection.learn(true, start + 2s, start + 3s));
  EXPECT_FALSE(ejection.is_ejected(start + 3s));
}

TEST(SlowStart, rises_in_a_straight_line) {
  EXPECT_EQ(ramp_at(start, 10s, start), 100U);
  EXPECT_EQ(ramp_at(start, 10s, start + 5s), 550U);
  EXPECT_EQ(ramp_at(start, 10s, start + 10s), 1000U);
  EXPECT_EQ(ramp_at(start, 0s, start), 1000U);
  EXPECT_EQ(ramp_at(start + 1s, 10s, start), 100U);  // Another core's `now` lags.
}

TEST(Outcome, blames_endpoints_for_what_is_theirs) {
  struct Case {
    Outcome outcome;
    bool teaches;
    bool is_good;
  };
  using Kind = Outcome::Kind;
  for (const Case& c :
       {Case{Outcome::answered(), true, true}, Case{Outcome::answered(200), true, true},
        Case{Outcome::answered(404), true, true}, Case{Outcome::answered(500), true, false},
        Case{Outcome::answered(501), true, true}, Case{Outcome::answered(503), true, false},
        Case{{Kind::failed_connect}, true, false}, Case{{Kind::failed_response}, true, false},
        Case{{Kind::timed_out}, true, false}, Case{{Kind::client_aborted}, false, false},
        Case{{Kind::nothing_learned}, false, false}}) {
    EXPECT_EQ(c.outcome.teaches(), c.teaches) << to_string(c.outcome.kind) << c.outcome.status;
    EXPECT_EQ(c.outcome.is_good(), c.is_good) << to_string(c.outcome.kind) << c.outcome.status;
  }
}

}  // namespace
}  // namespace spillway::upstream
