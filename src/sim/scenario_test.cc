// sim/scenario_test.cc: scenarios hold over a few seeds, replay exactly, and the checks do bite.
#include "sim/scenario.h"

#include <gtest/gtest.h>

#include <memory>

#include "sim/relay.h"

namespace spillway::sim {
namespace {

TEST(Scenario, each_holds_for_some_seeds) {
  for (const Scenario& scenario : scenarios()) {
    for (uint64_t seed = 100; seed < 102; ++seed) {
      const Outcome outcome = play(scenario, seed);
      for (const std::string& failure : outcome.failures) {
        ADD_FAILURE() << "seed " << seed << " scenario " << scenario.name << ": " << failure;
      }
    }
  }
}

TEST(Scenario, the_same_seed_gives_the_same_run) {
  for (const Scenario& scenario : scenarios()) {
    const Outcome first = play(scenario, 11);
    EXPECT_EQ(first.trace_hash, play(scenario, 11).trace_hash) << scenario.name;
    EXPECT_NE(first.trace_hash, play(scenario, 12).trace_hash) << scenario.name;
  }
}

// A canary: a subject that loses a byte must be noticed, or the checks are asleep.
void lie(Stage& stage) {
  Origin& origin = stage.add_origin();
  origin.habits().truncates = 1;
  origin.habits().chunked = origin.habits().until_close = 0;
  stage.add_subject(
      std::make_unique<Relay>(stage.world(), stage.gateway_host(), 0, stage.origin_addresses()));
  stage.clients().add(ClientKind::keep_alive, 1);
  stage.finish({});
}

TEST(Scenario, a_truncated_answer_is_noticed) {
  const Outcome outcome = play({"lie", "", lie}, 1);
  ASSERT_FALSE(outcome.failures.empty());
  EXPECT_NE(outcome.failures.front().find("cut"), std::string::npos);
}

}  // namespace
}  // namespace spillway::sim
