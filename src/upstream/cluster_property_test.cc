// upstream/cluster_property_test.cc: random lives of a Cluster, and an outage, from a seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "upstream/cluster.h"
#include "upstream/cluster_testing.h"

namespace spillway::upstream {
namespace {

// A cluster under random calls beside a plain count of what it must hold.
struct Life {
  explicit Life(uint64_t seed) : dice(seed), world(config_from(dice), "", seed + 1) {}

  static ClusterConfig config_from(Random& dice) {
    const char* balances[] = {"round_robin", "least_requests", "random_two", "ring_hash(ip)"};
    ClusterConfig config{.balance = *Balance::parse(balances[dice.below(4)])};
    if (dice.chance(0.7)) config.concurrency = 1 + dice.below(5);
    if (dice.chance(0.5)) config.breaker = {.requests = 5, .open = 2s};
    if (dice.chance(0.5)) config.health = {.failures = 2, .successes = 2};
    if (dice.chance(0.2)) config.ejection.reset();
    if (dice.chance(0.3)) config.slow_start = 0s;
    return config;
  }

  void step() {
    world.now = world.now + Duration(static_cast<int64_t>(dice.below(400'000'000)));
    switch (dice.below(12)) {
      case 0: relist(); break;
      case 1: toggle_drain(); break;
      case 2: probe(); break;
      case 3:
        if (dice.chance(0.05)) world.cluster.reconfigure(config_from(dice), world.now);
        break;
      case 4:
      case 5:
      case 6:
      case 7: pick(); break;
      default: settle(); break;
    }
  }

  void relist() {
    listed.clear();
    for (const char name : std::string("abcdef")) {
      if (dice.chance(0.6)) listed += name;
    }
    world.list(listed);
    std::erase_if(drained, [&](char name) { return !listed.contains(name); });
  }

  void toggle_drain() {
    if (listed.empty()) return;
    const char name = listed[dice.below(listed.size())];
    const EndpointId id = world.id(std::string(1, name));
    if (drained.insert(name).second) {
      ASSERT_TRUE(world.cluster.drain(id));
    } else {
      drained.erase(name);
      ASSERT_TRUE(world.cluster.undrain(id));
    }
  }

  void probe() {
    world.cluster.take_due_probes(world.random, world.now);
    if (!listed.empty()) {
      world.probe(std::string(1, listed[dice.below(listed.size())]), dice.chance(0.6));
    }
  }

  void pick() {
    std::vector<EndpointId> tried;
    for (const Ticket& ticket : tickets) {
      if (tried.size() < 2 && dice.chance(0.1)) tried.push_back(ticket.endpoint);
    }
    PickRequest request{.now = world.now, .random = world.random, .tried = tried};
    if (dice.chance(0.3)) request.hash_key = dice.below(10);
    if (dice.chance(0.3) && !tickets.empty()) request.sticky = tickets.front().identity;
    const auto limit = world.cluster.config().concurrency;
    const auto ticket = world.cluster.pick(request);
    if (!ticket) {
      const bool any = listed.size() > drained.size();
      ASSERT_EQ(ticket.error() == PickRefusal::no_endpoints, !any);
      return;
    }
    const char name = ticket->name->front();
    ASSERT_TRUE(listed.contains(name)) << "removed, and picked";
    ASSERT_FALSE(drained.contains(name)) << "drained, and picked";
    if (limit) ASSERT_LT(in_flight[name], *limit);
    ++in_flight[name];
    tickets.push_back(*ticket);
  }

  void settle() {
    if (tickets.empty()) return;
    std::swap(tickets[dice.below(tickets.size())], tickets.back());
    const Ticket ticket = tickets.back();
    tickets.pop_back();
    --in_flight[ticket.name->front()];
    const auto kind = static_cast<Outcome::Kind>(dice.below(6));
    const Outcome outcome{kind, static_cast<uint16_t>(kind == Outcome::Kind::answered ? 200 : 0)};
    if (dice.chance(0.2)) world.cluster.learn(ticket, Outcome::answered(500), world.now);
    world.cluster.settle(ticket, outcome, world.now);
  }

  void check() {
    const ClusterStatus status = world.cluster.status(world.now);
    ASSERT_EQ(status.in_flight, tickets.size());
    std::set<std::string> names;
    for (const EndpointStatus& endpoint : status.endpoints) {
      ASSERT_TRUE(names.insert(endpoint.name).second);
      const char name = endpoint.name.front();
      ASSERT_EQ(endpoint.in_flight, in_flight[name]) << endpoint.name;
      ASSERT_EQ(endpoint.is_listed, listed.contains(name));
      ASSERT_TRUE(endpoint.is_listed || endpoint.in_flight > 0) << "a record nobody needs";
      ASSERT_LE(endpoint.ramp, 1000U);
    }
    for (const char name : listed) ASSERT_TRUE(names.contains(std::string(1, name)));
  }

  Random dice;
  ClusterWorld world;
  std::string listed;
  std::set<char> drained;
  std::map<char, uint32_t> in_flight;
  std::vector<Ticket> tickets;
};

TEST(ClusterProperty, holds_its_invariants_through_random_lives) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    for (int step = 0; step < 400; ++step) {
      life.step();
      life.check();
      if (testing::Test::HasFatalFailure()) return;
    }
    while (!life.tickets.empty()) life.settle();
    life.check();
  }
}

// 1,000 requests a second for 30 s at replicas that all fail: how many attempts reach them.
uint64_t attempts_in_outage(bool has_budget) {
  ClusterConfig config{.retries = {.attempts = 3}, .ejection = {}};
  if (!has_budget) config.retries.budget = {.share = Share{1000}, .least = {.count = 1'000'000}};
  ClusterWorld world(config, "abcd");
  uint64_t attempts = 0;
  for (int request = 0; request < 30'000; ++request) {
    world.now = world.now + 1ms;
    world.cluster.count_request(world.now);
    std::vector<EndpointId> tried;
    do {
      const auto ticket =
          world.cluster.pick({.now = world.now, .random = world.random, .tried = tried});
      if (!ticket) break;
      ++attempts;
      tried.push_back(ticket->endpoint);
      world.cluster.settle(*ticket, {Outcome::Kind::timed_out}, world.now);
    } while (world.cluster.allows_retry(static_cast<uint32_t>(tried.size()), world.now));
  }
  return attempts;
}

TEST(ClusterOutage, is_not_multiplied_by_retries) {
  EXPECT_EQ(attempts_in_outage(false), 90'000U);  // Without a budget: three times the load.
  EXPECT_LE(attempts_in_outage(true), 36'500U);   // With one: a fifth more.
}

}  // namespace
}  // namespace spillway::upstream
