// server/service_set_test.cc: what a new plan means to those who wait for a service.
#include "server/service_set.h"

#include <gtest/gtest.h>

#include "runtime/interruption.h"
#include "runtime/loop_testing.h"

namespace spillway::server {
namespace {

using runtime::Task;

plan::Plan plan_of(uint32_t concurrency) {
  plan::Service service;
  service.process.run = {"app"};
  service.cluster.concurrency = concurrency;
  service.cluster.queue = {.length = 10, .wait = 60s};
  plan::Plan plan;
  plan.services = {{"app", service}};
  return plan;
}

class ServiceSetTest : public runtime::PeerTest {
 protected:
  Task<void> acquire(std::optional<gateway::Lease>& lease) {
    const std::shared_ptr<gateway::Service> service = services.find("app");
    runtime::Interruption never;
    auto got = co_await service->acquire(loop, {.now = loop.now(), .random = loop.random()}, soon(),
                                         never);
    if (got) lease.emplace(std::move(*got));
  }

  ServiceSet services{loop};
};

TEST_F(ServiceSetTest, who_waits_is_served_at_once_when_a_plan_raises_concurrency) {
  services.apply(plan_of(1));
  services.set_replicas(
      "app",
      {{.name = "app.1", .address = *SocketAddress::parse("127.0.0.1:1"), .is_proven = true}});
  const std::shared_ptr<gateway::Service> before = services.find("app");
  std::optional<gateway::Lease> first;
  std::optional<gateway::Lease> second;
  run(acquire(first));
  start(acquire(second));
  turn();
  EXPECT_TRUE(first);
  EXPECT_FALSE(second);
  services.apply(plan_of(2));
  turn();
  EXPECT_TRUE(second) << "it waits for the first answer";
  first.reset();
  finish();
}

}  // namespace
}  // namespace spillway::server
