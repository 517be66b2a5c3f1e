// upstream/rate_limit_test.cc: windows and GCRA as tables, and beside an obvious second way.
#include "upstream/rate_limit.h"

#include <gmock/gmock.h>

#include <deque>
#include <map>

#include "base/random.h"
#include "upstream/limit_table.h"

namespace spillway::upstream {
namespace {

constexpr Instant start = Instant::from_nanoseconds(1'000'000'000'000);

RateRule rule(std::string_view text) { return *RateRule::parse(text); }

TEST(RateRule, reads_windows_and_gcra_and_writes_what_it_reads) {
  for (const char* text : {"50 per 1m", "1 per 1s", "10000 per 15m", "50/s burst 10", "3/m burst 0",
                           "100/h burst 100"}) {
    ASSERT_TRUE(RateRule::parse(text)) << text;
    EXPECT_EQ(to_string(*RateRule::parse(text)), text);
  }
  EXPECT_EQ(rule("50/s burst 10").interval(), 20ms);
  EXPECT_EQ(rule("50/s burst 10").quota(), 11u);
  EXPECT_EQ(rule("50 per 1m").quota(), 50u);
}

TEST(RateRule, refuses_what_is_no_rate) {
  for (const char* text : {"", "50", "50/s", "50 per", "0 per 1m", "-1 per 1m", "50 per 1m burst 5",
                           "50/s burst", "50/s burst -1", "50/s burst 1x", "5/fortnight burst 1",
                           "2000000/s burst 1", "5000000000 per 1m", "50 per 0s", "50 per 400d"}) {
    EXPECT_FALSE(RateRule::parse(text)) << text;
  }
  EXPECT_THAT(RateRule::parse("50/s").error().detail, testing::HasSubstr("says no burst"));
}

TEST(RateLimit, a_window_is_opened_by_its_first_request_and_holds_no_more_than_its_count) {
  const RateRule limit = rule("3 per 10s");
  RateState state;
  EXPECT_EQ(take(limit, state, start).remaining, 2u);
  EXPECT_TRUE(take(limit, state, start + 9s).allowed);
  const RateAnswer last = take(limit, state, start + 9s);
  EXPECT_TRUE(last.allowed);
  EXPECT_EQ(last.remaining, 0u);
  EXPECT_EQ(last.reset, 1s);
  const RateAnswer refused = take(limit, state, start + 9500ms);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 500ms);
  EXPECT_FALSE(take(limit, state, start + 10s - 1ns).allowed);
  EXPECT_TRUE(take(limit, state, start + 10s).allowed);  // A new window.
  EXPECT_EQ(take(limit, state, start + 10s).remaining, 1u);
}

TEST(RateLimit, goes_on_from_what_a_shared_count_has_answered) {
  const RateRule limit = rule("10 per 10s");
  RateState state;
  note(limit, state, {.remaining = 3, .reset = 9s}, start);
  note(limit, state, {.remaining = 5, .reset = 9s - 3ms}, start + 1ms);  // Was overtaken.
  EXPECT_EQ(take(limit, state, start + 1s).remaining, 2u);
  EXPECT_EQ(take(limit, state, start + 1s).reset, 8s);
  EXPECT_TRUE(take(limit, state, start + 1s).allowed);
  EXPECT_FALSE(take(limit, state, start + 1s).allowed);
  EXPECT_TRUE(take(limit, state, start + 9s).allowed);
  note(limit, state, {.allowed = false, .reset = 9s, .retry_after = 9s}, start + 10s);
  EXPECT_FALSE(take(limit, state, start + 19s - 1ns).allowed);
  note(limit, state, {.remaining = 9, .reset = 10s}, start + 18500ms);  // A window opened since.
  EXPECT_TRUE(take(limit, state, start + 18600ms).allowed);
}

TEST(RateLimit, goes_on_from_what_a_shared_gcra_has_answered) {
  const RateRule limit = rule("10/s burst 2");
  RateState state;
  note(limit, state, {.remaining = 0, .reset = 300ms}, start);
  note(limit, state, {.remaining = 1, .reset = 200ms}, start);  // Was overtaken.
  EXPECT_FALSE(take(limit, state, start).allowed);
  EXPECT_TRUE(take(limit, state, start + 100ms).allowed);
  note(limit, state, {.allowed = false, .reset = 300ms, .retry_after = 100ms}, start + 10s);
  EXPECT_EQ(take(limit, state, start + 10s).retry_after, 100ms);
}

TEST(RateLimit, gcra_spaces_requests_and_lets_a_burst_come_early) {
  const RateRule limit = rule("10/s burst 2");
  RateState state;
  EXPECT_EQ(take(limit, state, start).remaining, 2u);
  EXPECT_EQ(take(limit, state, start).remaining, 1u);
  EXPECT_EQ(take(limit, state, start).remaining, 0u);
  const RateAnswer refused = take(limit, state, start);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, 100ms);
  EXPECT_EQ(refused.reset, 300ms);
  EXPECT_FALSE(take(limit, state, start + 99ms).allowed);
  EXPECT_TRUE(take(limit, state, start + 100ms).allowed);
  EXPECT_EQ(take(limit, state, start + 10s).remaining, 2u);  // All of the burst is back.
}

TEST(RateLimit, what_is_given_back_can_be_taken_again) {
  for (const char* text : {"2 per 1m", "2/m burst 1"}) {
    const RateRule limit = rule(text);
    RateState state;
    EXPECT_TRUE(take(limit, state, start).allowed);
    const RateAnswer taken = take(limit, state, start);
    EXPECT_TRUE(taken.allowed);
    give_back(limit, state, taken, start);
    EXPECT_TRUE(take(limit, state, start).allowed) << text;
    EXPECT_FALSE(take(limit, state, start).allowed) << text;
  }
}

// Else one that was refused late would let one more into the window of those after it.
TEST(RateLimit, what_is_given_back_late_is_gone) {
  for (const char* text : {"2 per 1m", "2/m burst 1"}) {
    const RateRule limit = rule(text);
    RateState state;
    const RateAnswer taken = take(limit, state, start);
    const Instant later = start + 2min;
    EXPECT_TRUE(take(limit, state, later).allowed);
    give_back(limit, state, taken, later);
    EXPECT_TRUE(take(limit, state, later).allowed) << text;
    EXPECT_FALSE(take(limit, state, later).allowed) << text;
  }
}

TEST(RateLimit, bears_a_core_whose_clock_is_a_little_behind) {
  const RateRule window = rule("2 per 1m");
  RateState state;
  EXPECT_TRUE(take(window, state, start).allowed);
  const RateAnswer earlier = take(window, state, start - 3ms);
  EXPECT_TRUE(earlier.allowed);
  EXPECT_EQ(earlier.reset, 1min);
  EXPECT_FALSE(take(window, state, start - 3ms).allowed);

  const RateRule gcra = rule("2/m burst 1");
  state = {};
  EXPECT_TRUE(take(gcra, state, start).allowed);
  EXPECT_EQ(take(gcra, state, start - 3ms).retry_after, 3ms);
}

// The obvious way: the times of all that were allowed.
TEST(RateLimit, agrees_with_a_list_of_times) {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    const auto count = static_cast<uint32_t>(1 + random.below(20));
    const auto burst = static_cast<uint32_t>(random.below(10));
    const RateRule window{.count = count, .per = 1s};
    const RateRule gcra{.kind = RateRule::Kind::gcra, .count = count, .per = 1s, .burst = burst};
    RateState window_state;
    RateState gcra_state;
    Instant opened;
    uint32_t in_window = 0;
    Instant due;
    Instant now = start;
    for (int i = 0; i < 500; ++i) {
      now = now + Duration(random.below(200'000'000));
      if (in_window == 0 || now - opened >= Duration(1s)) {
        opened = now;
        in_window = 0;
      }
      const bool fits = in_window < count;
      if (fits) ++in_window;
      ASSERT_EQ(take(window, window_state, now).allowed, fits);
      const bool is_early = i > 0 && due - now > gcra.interval() * burst;
      if (!is_early) due = std::max(i == 0 ? now : due, now) + gcra.interval();
      ASSERT_EQ(take(gcra, gcra_state, now).allowed, !is_early);
    }
  }
}

Hash128 key(uint64_t number) { return {.low = number * 0x9E3779B97F4A7C15, .high = number}; }

TEST(LimitTable, keeps_each_key_apart) {
  LimitTable table(rule("2 per 1m"), 100);
  for (uint64_t i = 0; i < 100; ++i) {
    EXPECT_TRUE(table.take(key(i), start).allowed);
    EXPECT_TRUE(table.take(key(i), start).allowed);
    EXPECT_FALSE(table.take(key(i), start).allowed);
  }
  EXPECT_EQ(table.keys(), 100u);
  EXPECT_EQ(table.evictions(), 0u);
}

TEST(LimitTable, forgets_the_key_that_was_not_used_for_longest) {
  LimitTable table(rule("1 per 1m"), 3);
  for (uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(table.take(key(i), start).allowed);
  EXPECT_FALSE(table.take(key(0), start).allowed);  // Now 1 is the oldest.
  EXPECT_TRUE(table.take(key(3), start).allowed);
  EXPECT_EQ(table.evictions(), 1u);
  EXPECT_FALSE(table.take(key(0), start).allowed);
  EXPECT_FALSE(table.take(key(2), start).allowed);
  EXPECT_TRUE(table.take(key(1), start).allowed);
  EXPECT_TRUE(table.take(key(4), start + 2min).allowed);  // In place of one that meant nothing.
  EXPECT_EQ(table.evictions(), 2u);
  EXPECT_EQ(table.keys(), 3u);
}

TEST(LimitTable, is_a_map_with_a_bound) {
  Random random(3);
  LimitTable table(rule("3 per 1m"), 5000);
  std::map<uint64_t, int> taken;
  for (int i = 0; i < 100'000; ++i) {
    const uint64_t number = random.below(5000);
    int& count = taken[number];
    const RateAnswer answer = table.take(key(number), start);
    ASSERT_EQ(answer.allowed, count < 3);
    if (!answer.allowed) continue;
    ++count;
    if (random.below(10) == 0) {
      table.give_back(key(number), answer, start);
      --count;
    }
  }
}

}  // namespace
}  // namespace spillway::upstream
