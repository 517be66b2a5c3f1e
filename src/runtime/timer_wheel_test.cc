// runtime/timer_wheel_test.cc: timers fire in order, never early, at most one tick late.
#include "runtime/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/random.h"

namespace spillway::runtime {
namespace {

struct Probe final : Timer {
  void on_timer(Instant now) override {
    fired_at = now;
    ++times;
  }
  Instant fired_at{};
  int times = 0;
};

const Instant start = Instant::from_nanoseconds(123'456'789);

TEST(TimerWheel, fires_at_its_time_and_once) {
  TimerWheel wheel(start);
  Probe probe;
  wheel.arm(probe, start + 5s);
  wheel.advance(start + 4999ms);
  EXPECT_EQ(probe.times, 0);
  wheel.advance(start + 5001ms);
  EXPECT_EQ(probe.times, 1);
  wheel.advance(start + 60s);
  EXPECT_EQ(probe.times, 1);
  EXPECT_EQ(wheel.next(), Instant::max());
}

TEST(TimerWheel, a_disarmed_or_destroyed_timer_never_fires) {
  TimerWheel wheel(start);
  Probe probe;
  wheel.arm(probe, start + 1s);
  wheel.disarm(probe);
  {
    Probe gone;
    wheel.arm(gone, start + 1s);
  }
  EXPECT_EQ(wheel.next(), Instant::max());
  wheel.advance(start + 2s);
  EXPECT_EQ(probe.times, 0);
}

TEST(TimerWheel, a_timer_may_arm_itself_again_while_firing) {
  struct Periodic final : Timer {
    explicit Periodic(TimerWheel& its_wheel) : wheel(its_wheel) {}
    void on_timer(Instant now) override {
      ++times;
      wheel.arm(*this, now + 10ms);
    }
    TimerWheel& wheel;
    int times = 0;
  };
  TimerWheel wheel(start);
  Periodic periodic(wheel);
  wheel.arm(periodic, start + 10ms);
  for (int i = 0; i <= 1000; ++i) wheel.advance(start + i * 1ms);
  EXPECT_NEAR(periodic.times, 100, 10);
}

TEST(TimerWheel, agrees_with_a_sorted_list_over_random_work) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    TimerWheel wheel(start);
    std::vector<std::unique_ptr<Probe>> probes;
    for (int i = 0; i < 200; ++i) probes.push_back(std::make_unique<Probe>());
    std::vector<Instant> due(probes.size(), Instant::max());
    Instant now = start;
    for (int step = 0; step < 2000; ++step) {
      const size_t i = random.below(probes.size());
      const auto delay =
          Duration(static_cast<int64_t>(random.below(uint64_t{1} << random.below(48))));
      if (random.chance(0.2)) {
        wheel.disarm(*probes[i]);
        due[i] = Instant::max();
      } else {
        wheel.arm(*probes[i], now + delay);
        due[i] = now + delay;
        probes[i]->times = 0;
      }
      ASSERT_LE(wheel.next(), *std::min_element(due.begin(), due.end()) + 1ms);
      now = now + Duration(static_cast<int64_t>(random.below(uint64_t{1} << random.below(44))));
      wheel.advance(now);
      for (size_t k = 0; k < probes.size(); ++k) {
        if (due[k] == Instant::max()) continue;
        if (due[k] + 1ms <= now) ASSERT_EQ(probes[k]->times, 1) << "seed " << seed;
        if (due[k] > now) ASSERT_EQ(probes[k]->times, 0) << "seed " << seed;
        if (probes[k]->times == 1) {
          due[k] = Instant::max();
          probes[k]->times = 0;
        }
      }
    }
  }
}

}  // namespace
}  // namespace spillway::runtime
