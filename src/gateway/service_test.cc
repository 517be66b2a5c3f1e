// gateway/service_test.cc: one service, shared exactly by the loops of several threads.
#include "gateway/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/event.h"
#include "runtime/loop_testing.h"

namespace spillway::gateway {
namespace {

using runtime::Task;

upstream::ClusterConfig config_of(uint32_t concurrency) {
  upstream::ClusterConfig config;
  config.concurrency = concurrency;
  config.queue = {.length = 1000, .wait = 60s};
  return config;
}

void add_endpoint(Service& service) {
  const std::vector<upstream::EndpointSpec> specs{
      {.name = "one", .address = *SocketAddress::parse("127.0.0.1:1"), .is_proven = true}};
  service.with([&](ServiceState& state) { state.cluster.set_endpoints(specs, Instant{}); });
}

struct Shared {
  Service service{"app", config_of(3)};
  std::atomic<int> in_use{0};
  std::atomic<int> most{0};
  std::atomic<int> served{0};
  std::atomic<int> refused{0};
};

Task<void> work(Shared& shared, runtime::Loop& loop, int rounds) {
  runtime::Interruption never;
  for (int i = 0; i < rounds; ++i) {
    auto lease = co_await shared.service.acquire(loop, {.now = loop.now(), .random = loop.random()},
                                                 Deadline::after(loop.now(), 60s), never);
    if (!lease) {
      ++shared.refused;
      continue;
    }
    const int now_in_use = ++shared.in_use;
    int most = shared.most.load();
    while (now_in_use > most && !shared.most.compare_exchange_weak(most, now_in_use)) {
    }
    co_await runtime::next_turn(loop);
    --shared.in_use;
    ++shared.served;
    if (i % 2 == 0) lease->settle(upstream::Outcome::answered(200));
  }
}

TEST(Service, holds_its_concurrency_exactly_over_two_loops) {
  Shared shared;
  add_endpoint(shared.service);
  std::vector<std::thread> threads;
  for (uint32_t core = 0; core < 2; ++core) {
    threads.emplace_back([&shared, core] {
      runtime::Loop loop(*runtime::make_epoll_driver(), core, core);
      runtime::Gate gate(loop);
      for (int i = 0; i < 10; ++i) gate.spawn(work(shared, loop, 50));
      while (gate.count() > 0) loop.run_once(loop.now() + 100ms);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(shared.served + shared.refused, 1000);
  EXPECT_EQ(shared.refused, 0);
  EXPECT_LE(shared.most, 3);
  shared.service.with([](ServiceState& state) {
    EXPECT_EQ(state.waiting.length(), 0u);
    EXPECT_EQ(state.cluster.queue_length(), 0u);
    EXPECT_EQ(state.cluster.status(Instant{}).in_flight, 0u);
  });
}

class ServiceTest : public runtime::PeerTest {
 protected:
  Task<void> acquire(Service& service, std::optional<Lease>& lease, std::optional<Error>& error) {
    runtime::Interruption never;
    auto got =
        co_await service.acquire(loop, {.now = loop.now(), .random = loop.random()}, soon(), never);
    if (got) lease.emplace(std::move(*got));
    if (!got) error = got.error();
  }
};

TEST_F(ServiceTest, who_waits_is_served_when_an_endpoint_appears_under_a_new_plan) {
  Service service("app", config_of(1));
  add_endpoint(service);
  std::optional<Lease> first;
  std::optional<Lease> second;
  std::optional<Error> error;
  run(acquire(service, first, error));
  start(acquire(service, second, error));
  turn();
  EXPECT_FALSE(second);
  Service next(service, config_of(2), nullptr, loop.now());
  next.with([&](ServiceState& state) { state.grant(loop.now(), loop.random()); });
  finish();
  EXPECT_TRUE(second);
  EXPECT_FALSE(error);
}

TEST_F(ServiceTest, says_why_there_is_no_endpoint) {
  Service service("app", config_of(1));
  std::optional<Lease> lease;
  std::optional<Error> error;
  run(acquire(service, lease, error));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Error::Code::overloaded);
  EXPECT_EQ(error->retry, Error::Retry::safe);
  EXPECT_EQ(error->detail, "service app: no endpoint is running");
}

}  // namespace
}  // namespace spillway::gateway
