// upstream/cluster_test.cc: endpoints come and go, fill up, and are asked for by cookie or key.
#include "upstream/cluster.h"

#include <gtest/gtest.h>

#include <vector>

#include "upstream/cluster_testing.h"
#include "upstream/hash.h"

namespace spillway::upstream {
namespace {

TEST(Cluster, refuses_without_endpoints) {
  ClusterWorld world({});
  EXPECT_EQ(world.pick().error(), PickRefusal::no_endpoints);
  EXPECT_EQ(world.cluster.status(world.now).counters.refused_no_endpoints, 1U);
}

TEST(Cluster, tells_where_to_send) {
  ClusterWorld world({}, "a");
  const auto ticket = world.pick();
  ASSERT_TRUE(ticket);
  EXPECT_EQ(*ticket->name, "a");
  EXPECT_EQ(to_string(*ticket->address), "127.0.0.1:4097");
}

TEST(Cluster, names_an_endpoint_by_its_address_if_it_has_no_name) {
  ClusterWorld world({});
  const EndpointSpec spec{.address = *SocketAddress::parse("10.0.0.1:80")};
  world.cluster.set_endpoints({&spec, 1}, world.now);
  EXPECT_EQ(*world.pick()->name, "10.0.0.1:80");
}

TEST(Cluster, keeps_the_state_of_kept_endpoints) {
  ClusterWorld world({}, "ab");
  const auto ticket = world.pick();
  const EndpointsChange change = world.list("abc");
  EXPECT_EQ(change.added, 1U);
  EXPECT_EQ(change.kept, 2U);
  EXPECT_EQ(world.of(*ticket->name).in_flight, 1U);
}

TEST(Cluster, drains_removed_endpoints_until_their_work_is_settled) {
  ClusterWorld world({}, "a");
  const auto ticket = world.pick();
  EXPECT_EQ(world.list("b").removed, 1U);
  EXPECT_EQ(world.of("a").state, EndpointState::draining);
  EXPECT_FALSE(world.of("a").is_listed);
  EXPECT_EQ(world.serve(100)["b"], 100);
  EXPECT_EQ(*ticket->name, "a");  // Still valid.
  world.cluster.settle(*ticket, Outcome::answered(200), world.now);
  EXPECT_EQ(world.cluster.status(world.now).endpoints.size(), 1U);
}

TEST(Cluster, never_lets_a_late_settle_hit_another_endpoint) {
  ClusterWorld world({}, "a");
  const auto first = world.pick();
  world.cluster.settle(*first, Outcome::answered(200), world.now);
  world.list("");
  world.list("b");
  const auto second = world.pick();
  EXPECT_EQ(first->endpoint.index, second->endpoint.index);
  EXPECT_FALSE(world.cluster.settle(*first, Outcome::answered(200), world.now));
  EXPECT_EQ(world.of("b").in_flight, 1U);
}

TEST(Cluster, counts_what_is_in_flight_when_a_removed_endpoint_comes_back) {
  ClusterWorld world({.concurrency = 1}, "a");
  const auto ticket = world.pick();
  world.list("");
  world.list("a");
  EXPECT_EQ(world.pick().error(), PickRefusal::all_at_capacity);
  world.cluster.settle(*ticket, Outcome::answered(200), world.now);
  EXPECT_TRUE(world.pick());
}

TEST(Cluster, takes_another_incarnation_for_another_endpoint) {
  ClusterWorld world({}, "a");
  const auto ticket = world.pick();
  EndpointSpec restarted = spec_of("a");
  restarted.incarnation = 2;
  const EndpointsChange change = world.cluster.set_endpoints({&restarted, 1}, world.now);
  EXPECT_EQ(change.added, 1U);
  EXPECT_EQ(change.removed, 1U);
  EXPECT_NE(world.pick()->endpoint, ticket->endpoint);
}

TEST(Cluster, ignores_endpoints_named_twice_and_beyond_its_limit) {
  ClusterWorld world({});
  EXPECT_EQ(world.list("aab").ignored, 1U);
  std::vector<EndpointSpec> many;
  for (uint32_t i = 0; i < limits::endpoints_max + 10; ++i) {
    many.push_back({.address = {.ip = IpAddress::from_v4(i + 1), .port = 80}});
  }
  const EndpointsChange change = world.cluster.set_endpoints(many, world.now);
  EXPECT_EQ(change.added, limits::endpoints_max);
  EXPECT_EQ(change.ignored, 10U);
}

TEST(Cluster, goes_on_with_its_turns_when_the_list_is_told_again) {
  ClusterWorld world({.balance = *Balance::parse("round_robin")}, "abc");
  std::string turns;
  for (int i = 0; i < 6; ++i) {
    turns += *world.pick()->name;
    world.list("abc");
  }
  EXPECT_EQ(turns, "abcabc");
}

TEST(Cluster, follows_new_weights) {
  ClusterWorld world({.balance = *Balance::parse("round_robin")}, "ab");
  const EndpointSpec specs[] = {spec_of("a", 3), spec_of("b", 0)};  // 0 is held at 1.
  world.cluster.set_endpoints(specs, world.now);
  EXPECT_EQ(world.serve(400)["a"], 300);
}

TEST(Cluster, gives_a_drained_endpoint_nothing_until_it_is_undrained) {
  ClusterWorld world({}, "ab");
  const EndpointId a = world.id("a");
  EXPECT_TRUE(world.cluster.drain(a));
  world.list("ab");
  EXPECT_EQ(world.of("a").state, EndpointState::draining);
  EXPECT_EQ(world.serve(100)["a"], 0);
  world.now = world.now + 1min;
  EXPECT_TRUE(world.cluster.undrain(a));
  EXPECT_LT(world.serve(100)["a"], 20);  // Slow start.
  world.now = world.now + 10s;
  EXPECT_GT(world.serve(100)["a"], 20);
  EXPECT_FALSE(world.cluster.drain({.index = 9}));
  world.cluster.drain(a);
  world.cluster.drain(world.id("b"));
  EXPECT_EQ(world.pick().error(), PickRefusal::no_endpoints);
}

TEST(Cluster, never_passes_the_concurrency_of_an_endpoint) {
  ClusterWorld world({.concurrency = 2}, "ab");
  std::vector<Ticket> tickets;
  for (int i = 0; i < 4; ++i) tickets.push_back(*world.pick());
  EXPECT_EQ(world.of("a").in_flight, 2U);
  EXPECT_EQ(world.of("b").in_flight, 2U);
  EXPECT_EQ(world.pick().error(), PickRefusal::all_at_capacity);
  EXPECT_EQ(world.cluster.slots_free(world.now), 0U);
  world.cluster.settle(tickets[1], Outcome::answered(200), world.now);
  EXPECT_EQ(world.cluster.slots_free(world.now), 1U);
  EXPECT_EQ(world.pick()->endpoint, tickets[1].endpoint);
}

TEST(Cluster, tells_of_a_free_slot_only_if_somebody_waits) {
  ClusterWorld world({.concurrency = 1}, "a");
  auto ticket = world.pick();
  EXPECT_FALSE(world.cluster.settle(*ticket, Outcome::answered(200), world.now));
  ticket = world.pick();
  ASSERT_TRUE(world.cluster.enter_queue(Deadline::after(world.now, 1s), world.now));
  EXPECT_TRUE(world.cluster.settle(*ticket, Outcome::answered(200), world.now));
}

TEST(ClusterQueue, is_bounded_by_its_length_and_the_deadline) {
  ClusterWorld world({.concurrency = 1, .queue = {.length = 2, .wait = 1s}}, "a");
  const Instant now = world.now;
  const Deadline far = Deadline::after(now, 1h);
  EXPECT_EQ(world.cluster.enter_queue(far, now), Deadline::after(now, 1s));
  EXPECT_EQ(world.cluster.enter_queue(Deadline::after(now, 10ms), now), Deadline::after(now, 10ms));
  EXPECT_FALSE(world.cluster.enter_queue(far, now));
  world.cluster.leave_queue(true);
  EXPECT_FALSE(world.cluster.enter_queue(Deadline::at(now), now));  // Has passed already.
  world.cluster.leave_queue(false);
  EXPECT_EQ(world.cluster.queue_length(), 0U);
  const ClusterCounters counters = world.cluster.status(now).counters;
  EXPECT_EQ(counters.queued, 2U);
  EXPECT_EQ(counters.queue_full, 1U);
  EXPECT_EQ(counters.queue_too_late, 1U);
  EXPECT_EQ(counters.queue_expired, 1U);
}

TEST(ClusterQueue, refuses_at_once_what_could_not_be_served_in_time) {
  ClusterWorld world({.concurrency = 1, .queue = {.length = 1000, .wait = 1s}}, "a");
  for (int i = 0; i < 200; ++i) {  // Work takes 100 ms.
    const auto ticket = world.pick();
    world.now = world.now + 100ms;
    world.cluster.settle(*ticket, Outcome::answered(200), world.now);
  }
  ASSERT_TRUE(world.pick());
  int waiting = 0;
  while (world.cluster.enter_queue(Deadline::never(), world.now)) ++waiting;
  EXPECT_NEAR(waiting, 10, 1);
}

TEST(ClusterSticky, returns_to_the_endpoint_of_the_cookie) {
  ClusterWorld world({}, "abcd");
  const uint64_t cookie = *parse_sticky(sticky_text(world.pick()->identity));
  const auto first = world.cluster.pick({world.now, world.random, {}, cookie});
  for (int i = 0; i < 50; ++i) {
    const auto again = world.cluster.pick({world.now, world.random, {}, cookie});
    EXPECT_EQ(again->endpoint, first->endpoint);
  }
  world.cluster.drain(first->endpoint);
  const auto moved = world.cluster.pick({world.now, world.random, {}, cookie});
  ASSERT_TRUE(moved);
  EXPECT_NE(moved->identity, cookie);
  EXPECT_EQ(world.cluster.status(world.now).counters.sticky_moved, 1U);
}

TEST(ClusterSticky, waits_for_its_endpoint_instead_of_losing_its_session) {
  ClusterWorld world({.concurrency = 1}, "ab");
  const auto ticket = world.pick();
  const auto again = world.cluster.pick({world.now, world.random, {}, ticket->identity});
  EXPECT_EQ(again.error(), PickRefusal::all_at_capacity);
}

TEST(ClusterSticky, tries_another_endpoint_when_its_own_has_failed) {
  ClusterWorld world({}, "ab");
  const auto failed = world.pick();
  const EndpointId tried[] = {failed->endpoint};
  const auto next = world.cluster.pick(
      {.now = world.now, .random = world.random, .sticky = failed->identity, .tried = tried});
  ASSERT_TRUE(next);
  EXPECT_NE(next->endpoint, failed->endpoint);
}

TEST(ClusterSticky, reads_only_its_own_form) {
  EXPECT_EQ(parse_sticky("00000000000000ff"), 255U);
  for (const char* text : {"", "ff", "00000000000000fg", "00000000000000ff0", "0x000000000000ff"}) {
    EXPECT_FALSE(parse_sticky(text)) << text;
  }
}

TEST(ClusterRingHash, keeps_a_key_at_its_endpoint) {
  ClusterWorld world({.balance = *Balance::parse("ring_hash(ip)")}, "abcd");
  const uint64_t key = hash_of("203.0.113.7");
  const auto first = world.cluster.pick({world.now, world.random, key});
  world.cluster.settle(*first, Outcome::answered(200), world.now);
  for (int i = 0; i < 50; ++i) {
    const auto again = world.cluster.pick({world.now, world.random, key});
    EXPECT_EQ(again->endpoint, first->endpoint);
    world.cluster.settle(*again, Outcome::answered(200), world.now);
  }
}

TEST(ClusterRetry, avoids_what_was_tried_while_another_is_fit) {
  ClusterWorld world({}, "ab");
  for (int i = 0; i < 50; ++i) {
    const EndpointId tried[] = {world.id("a")};
    const PickRequest request{.now = world.now, .random = world.random, .tried = tried};
    EXPECT_EQ(*world.cluster.pick(request)->name, "b");
  }
  EXPECT_EQ(world.of("b").counters.retries, 50U);
  const EndpointId both[] = {world.id("a"), world.id("b")};
  EXPECT_TRUE(world.cluster.pick({.now = world.now, .random = world.random, .tried = both}));
}

TEST(ClusterRetry, queues_for_the_untried_rather_than_repeat_the_tried) {
  ClusterWorld world({.concurrency = 1}, "ab");
  ASSERT_TRUE(world.pick());
  const auto failed = world.pick();
  world.cluster.settle(*failed, {Outcome::Kind::failed_connect}, world.now);
  const EndpointId tried[] = {failed->endpoint};
  const PickRequest request{.now = world.now, .random = world.random, .tried = tried};
  EXPECT_EQ(world.cluster.pick(request).error(), PickRefusal::all_at_capacity);
}

TEST(ClusterRetry, is_bounded_by_attempts_and_budget) {
  ClusterWorld world(
      {.retries = {.attempts = 2, .budget = {.share = Share{0.5}, .least = {.count = 0}}}});
  EXPECT_FALSE(world.cluster.allows_retry(2, world.now));
  for (int i = 0; i < 10; ++i) world.cluster.count_request(world.now);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(world.cluster.allows_retry(1, world.now));
  EXPECT_FALSE(world.cluster.allows_retry(1, world.now));
  const ClusterCounters counters = world.cluster.status(world.now).counters;
  EXPECT_EQ(counters.retries, 5U);
  EXPECT_EQ(counters.retries_refused, 1U);
}

const HedgeConfig tenth{.after = 50ms, .budget = {.share = Share{0.1}, .least = {.count = 0}}};

std::optional<Ticket> hedge_beside(ClusterWorld& world, const Ticket& slow) {
  return world.cluster.pick_hedge(
      {.now = world.now, .random = world.random, .tried = std::span(&slow.endpoint, 1)});
}

TEST(ClusterHedge, has_a_budget_of_its_own_and_is_absent_by_default) {
  ClusterWorld plain({}, "ab");
  EXPECT_FALSE(hedge_beside(plain, *plain.pick()));
  ClusterWorld world({.hedge = tenth}, "ab");
  const Ticket slow = *world.pick();
  for (int i = 0; i < 20; ++i) world.cluster.count_request(world.now);
  EXPECT_TRUE(hedge_beside(world, slow));
  EXPECT_TRUE(hedge_beside(world, slow));
  EXPECT_FALSE(hedge_beside(world, slow));
  const ClusterCounters counters = world.cluster.status(world.now).counters;
  EXPECT_EQ(counters.hedges, 2U);
  EXPECT_EQ(counters.hedges_refused, 1U);
  EXPECT_EQ(counters.retries, 0U);
}

TEST(ClusterHedge, goes_to_another_endpoint_that_is_fit_and_free_or_nowhere) {
  ClusterWorld world({.hedge = tenth, .concurrency = 1, .ejection = std::nullopt}, "ab");
  for (int i = 0; i < 20; ++i) world.cluster.count_request(world.now);
  const Ticket slow = *world.pick();
  const auto beside = hedge_beside(world, slow);
  ASSERT_TRUE(beside);
  EXPECT_NE(beside->endpoint, slow.endpoint);
  EXPECT_FALSE(hedge_beside(world, slow)) << "the other one is full";
  world.cluster.settle(*beside, Outcome::answered(200), world.now);
  world.cluster.drain(beside->endpoint);
  EXPECT_FALSE(hedge_beside(world, slow)) << "the other one is drained";
  EXPECT_EQ(world.cluster.status(world.now).counters.hedges_refused, 0U);
  world.cluster.undrain(beside->endpoint);
  EXPECT_TRUE(hedge_beside(world, slow));
}

TEST(ClusterReload, keeps_what_is_in_flight_and_follows_the_new_plan) {
  ClusterWorld world({.concurrency = 5, .health = HealthConfig{}}, "ab");
  std::vector<Ticket> tickets;
  for (int i = 0; i < 6; ++i) tickets.push_back(*world.pick());
  world.cluster.reconfigure({.balance = *Balance::parse("round_robin"), .concurrency = 3},
                            world.now);
  EXPECT_EQ(world.pick().error(), PickRefusal::all_at_capacity);
  EXPECT_EQ(world.of("a").state, EndpointState::healthy);  // No probes any more.
  EXPECT_EQ(world.cluster.status(world.now).balance, "round_robin");
  for (const Ticket& ticket : tickets) {
    world.cluster.settle(ticket, Outcome::answered(200), world.now);
  }
  EXPECT_EQ(world.cluster.status(world.now).in_flight, 0U);
}

TEST(ClusterExplain, says_why) {
  ClusterWorld world({}, "ab");
  std::string why;
  const auto ticket =
      world.cluster.pick({.now = world.now, .random = world.random, .explanation = &why});
  EXPECT_NE(why.find("least_requests over 2 of 2 endpoints"), std::string::npos) << why;
  EXPECT_NE(why.find(to_string(*ticket->address)), std::string::npos) << why;
  world.list("");
  EXPECT_FALSE(world.cluster.pick({.now = world.now, .random = world.random, .explanation = &why}));
  EXPECT_NE(why.find("no_endpoints"), std::string::npos) << why;
}

}  // namespace
}  // namespace spillway::upstream
