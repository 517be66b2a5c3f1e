// upstream/balancers/balancers_test.cc: who gets how much, and which keys stay where they were.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "upstream/balancer.h"
#include "upstream/balancers/ring_hash.h"
#include "upstream/hash.h"
#include "upstream/slow_start.h"

namespace spillway::upstream {
namespace {

using Algorithm = Balance::Algorithm;

std::vector<Candidate> candidates_of(std::initializer_list<uint32_t> weights) {
  std::vector<Candidate> result;
  for (const uint32_t weight : weights) {
    result.push_back({.weight = weight * ramp_full,
                      .ramp = ramp_full,
                      .plan_weight = weight,
                      .identity = hash_of("replica-" + std::to_string(result.size()))});
  }
  return result;
}

// Picks `count` times; what is picked is finished at once, or stays in flight.
std::vector<uint32_t> tally(Algorithm algorithm, std::vector<Candidate> candidates, int count,
                            bool stays) {
  Random random(7);
  const auto balancer = make_balancer(algorithm);
  balancer->candidates_changed(candidates);
  std::vector<uint32_t> times(candidates.size());
  for (int i = 0; i < count; ++i) {
    const auto choice = balancer->choose(candidates, {.random = random});
    if (!choice) return times;
    ++times[*choice];
    if (stays) ++candidates[*choice].in_flight;
  }
  return times;
}

constexpr Algorithm every_algorithm[] = {Algorithm::round_robin, Algorithm::least_requests,
                                         Algorithm::random_two, Algorithm::ring_hash};

TEST(Balancers, share_idle_endpoints_by_weight) {
  for (const Algorithm algorithm : every_algorithm) {
    const auto times = tally(algorithm, candidates_of({1, 2, 1}), 40'000, false);
    EXPECT_NEAR(times[0], 10'000, 2'000) << to_string(algorithm);
    EXPECT_NEAR(times[1], 20'000, 2'000) << to_string(algorithm);
    EXPECT_NEAR(times[2], 10'000, 2'000) << to_string(algorithm);
  }
}

TEST(Balancers, share_piling_work_by_weight) {
  for (const Algorithm algorithm : every_algorithm) {
    const auto times = tally(algorithm, candidates_of({1, 2, 1}), 4'000, true);
    const double slack = algorithm == Algorithm::ring_hash ? 600 : 50;
    EXPECT_NEAR(times[0], 1'000, slack) << to_string(algorithm);
    EXPECT_NEAR(times[1], 2'000, slack) << to_string(algorithm);
    EXPECT_NEAR(times[2], 1'000, slack) << to_string(algorithm);
  }
}

TEST(Balancers, never_choose_a_weight_of_zero) {
  for (const Algorithm algorithm : every_algorithm) {
    auto candidates = candidates_of({1, 1, 1});
    candidates[1].weight = 0;
    EXPECT_EQ(tally(algorithm, candidates, 1'000, true)[1], 0U) << to_string(algorithm);
    for (Candidate& candidate : candidates) candidate.weight = 0;
    Random random(1);
    const auto balancer = make_balancer(algorithm);
    balancer->candidates_changed(candidates);
    EXPECT_FALSE(balancer->choose(candidates, {.random = random})) << to_string(algorithm);
    balancer->candidates_changed({});
    EXPECT_FALSE(balancer->choose({}, {.random = random})) << to_string(algorithm);
  }
}

TEST(RoundRobin, spreads_a_heavy_endpoint_evenly) {
  Random random(1);
  const auto balancer = make_balancer(Algorithm::round_robin);
  const auto candidates = candidates_of({5, 1, 1});
  balancer->candidates_changed(candidates);
  std::string turns;
  for (int i = 0; i < 14; ++i) {
    turns += static_cast<char>('a' + *balancer->choose(candidates, {.random = random}));
  }
  EXPECT_EQ(turns, "aabacaaaabacaa");
}

TEST(LeastRequests, prefers_the_least_loaded_for_its_weight) {
  Random random(1);
  const auto balancer = make_balancer(Algorithm::least_requests);
  auto candidates = candidates_of({1, 4, 1});
  candidates[0].in_flight = 2;
  candidates[1].in_flight = 7;
  candidates[2].in_flight = 3;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(balancer->choose(candidates, {.random = random}), 1U);
  }
}

TEST(LeastRequests, does_not_herd_on_the_newest) {
  Random random(1);
  const auto balancer = make_balancer(Algorithm::least_requests);
  auto candidates = candidates_of({1, 1, 1, 1, 1});
  for (size_t i = 0; i < 4; ++i) candidates[i].in_flight = 50;
  candidates[4].ramp = ramp_least;
  candidates[4].weight = ramp_least;
  int newest = 0;
  for (int i = 0; i < 100; ++i) {
    const auto choice = balancer->choose(candidates, {.random = random});
    ++candidates[*choice].in_flight;
    if (*choice == 4) ++newest;
  }
  EXPECT_GE(newest, 1);
  EXPECT_LE(newest, 10);  // Of 100; its full share would be 20, and without a ramp it took 50.
}

TEST(LeastRequests, sends_a_newcomer_that_answers_at_once_no_more_than_its_ramp) {
  Random random(1);
  const auto balancer = make_balancer(Algorithm::least_requests);
  auto candidates = candidates_of({1, 1});
  candidates[0].in_flight = 50;
  candidates[1].ramp = ramp_least;
  candidates[1].weight = ramp_least;
  int newest = 0;
  for (int i = 0; i < 1'000; ++i) {
    if (*balancer->choose(candidates, {.random = random}) == 1) ++newest;
  }
  EXPECT_NEAR(newest, 100, 40);
}

TEST(RandomTwo, keeps_the_fullest_close_to_the_mean) {
  const auto times =
      tally(Algorithm::random_two, candidates_of({1, 1, 1, 1, 1, 1, 1, 1, 1, 1}), 10'000, true);
  for (const uint32_t each : times) EXPECT_NEAR(each, 1'000, 20);
}

TEST(RingHash, moves_only_the_keys_of_the_endpoint_that_left) {
  constexpr uint64_t keys = 20'000;
  auto before = candidates_of({1, 1, 1, 1, 1, 1, 1, 1});
  auto after = before;
  after.erase(after.begin() + 3);
  RingHash ring_before;
  RingHash ring_after;
  ring_before.candidates_changed(before);
  ring_after.candidates_changed(after);
  Random random(1);
  int moved = 0;
  for (uint64_t key = 0; key < keys; ++key) {
    const auto old_choice = *ring_before.choose(before, {.random = random, .hash_key = key});
    const auto new_choice = *ring_after.choose(after, {.random = random, .hash_key = key});
    if (before[old_choice].identity == after[new_choice].identity) continue;
    ++moved;
    EXPECT_EQ(old_choice, 3U) << "key " << key << " moved without need";
  }
  EXPECT_NEAR(moved, keys / 8.0, keys / 8.0 * 0.3);
}

TEST(RingHash, gives_a_key_the_same_endpoint_whatever_the_order) {
  auto forward = candidates_of({1, 1, 1, 1});
  std::vector<Candidate> backward(forward.rbegin(), forward.rend());
  RingHash ring_forward;
  RingHash ring_backward;
  ring_forward.candidates_changed(forward);
  ring_backward.candidates_changed(backward);
  Random random(1);
  for (uint64_t key = 0; key < 1'000; ++key) {
    EXPECT_EQ(forward[*ring_forward.choose(forward, {random, key})].identity,
              backward[*ring_backward.choose(backward, {random, key})].identity);
  }
}

TEST(RingHash, holds_the_bound_even_for_one_hot_key) {
  auto candidates = candidates_of({1, 1, 2, 1});
  RingHash ring;
  ring.candidates_changed(candidates);
  Random random(1);
  for (uint64_t in_flight = 0; in_flight < 2'000; ++in_flight) {
    const auto choice = ring.choose(candidates, {.random = random, .hash_key = 42});
    ASSERT_TRUE(choice);
    ++candidates[*choice].in_flight;
    const double fair = static_cast<double>(in_flight + 1) * candidates[*choice].plan_weight / 5;
    EXPECT_LT(candidates[*choice].in_flight, 1.25 * fair + 1);
  }
}

}  // namespace
}  // namespace spillway::upstream
