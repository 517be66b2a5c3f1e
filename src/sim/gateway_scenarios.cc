// sim/gateway_scenarios.cc: scenarios that try the production data plane.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "sim/gateway_process.h"
#include "sim/scenarios.h"

namespace spillway::sim {
namespace {

Duration up_to(Random& random, Duration most) {
  return Duration(static_cast<int64_t>(random.below(static_cast<uint64_t>(most.count()) + 1)));
}

// One worker or two: what works on one core must work on several.
GatewayProcess& set_up(Stage& stage, const plan::Plan& plan) {
  const auto workers = static_cast<uint32_t>(1 + stage.random().below(2));
  return stage.add_subject(
      std::make_unique<GatewayProcess>(stage.world(), stage.gateway_host(), workers, plan));
}

GatewayProcess& set_up(Stage& stage, size_t origins) {
  while (stage.origins() < origins) stage.add_origin();
  return set_up(stage, plan_for(stage.origin_addresses()));
}

void add_clients(Stage& stage, uint32_t each, const ClientOptions& options) {
  for (const ClientKind kind :
       {ClientKind::keep_alive, ClientKind::one_shot, ClientKind::pipelining, ClientKind::slow,
        ClientKind::posting, ClientKind::upgrading, ClientKind::old}) {
    stage.clients().add(kind, each, options);
  }
}

// Nobody can tell the end of a killed origin from the end of such a body.
void frame_all_bodies(Stage& stage) {
  for (size_t i = 0; i < stage.origins(); ++i) stage.origin(i).habits().until_close = 0;
}

void crash_for(Stage& stage, Origin& origin, Duration when, Duration length) {
  stage.world().after(when, [&origin] { origin.crash(); });
  stage.world().after(when + length, [&origin] { origin.start(); });
}

constexpr Allowed anything_visible{.refused = true, .cut = true, .broken = true, .timed_out = true};

}  // namespace

void gateway_calm(Stage& stage) {
  set_up(stage, 2);
  for (size_t i = 0; i < 2; ++i) stage.origin(i).habits().idle_max = 10s;
  add_clients(stage, 2, {.requests = 12});
  stage.finish({});
}

void gateway_tight(Stage& stage) {
  set_up(stage, 2);
  for (size_t i = 0; i < 2; ++i) stage.origin(i).habits().idle_max = 10s;
  // So little at a time that an answer takes seconds; `timeouts.total` must not be reached.
  add_clients(stage, 1, {.requests = 8, .size_max = 8000, .body_max = 8000});
  stage.finish({});
}

void gateway_rough(Stage& stage) {
  set_up(stage, 3);
  for (size_t i = 0; i < stage.origins(); ++i) {
    OriginHabits& habits = stage.origin(i).habits();
    habits.truncates = habits.resets = habits.dies_silently = habits.errors = 0.04;
    habits.answers_early = 0.1;
    habits.slams = 0.05;
    habits.idle_max = 40ms;
  }
  add_clients(stage, 2, {});
  stage.clients().add(ClientKind::aborting, 6);
  stage.finish({.refused = true, .cut = true});
}

void gateway_kill(Stage& stage) {
  set_up(stage, 2);
  frame_all_bodies(stage);
  add_clients(stage, 2, {.requests = 40});
  Origin& victim = stage.origin(0);
  for (int i = 0; i < 3; ++i) {
    const Duration when = 1s * i + up_to(stage.random(), 500ms);
    crash_for(stage, victim, when, 50ms + up_to(stage.random(), 300ms));
  }
  stage.finish({.refused = true, .cut = true, .broken = true});
  for (const std::string_view method : {"GET", "HEAD"}) {
    const uint64_t failed =
        stage.ledger().count(Fate::refused, method) + stage.ledger().count(Fate::broken, method);
    stage.expect(failed == 0, fmt::format("{} {}s failed before their answer began, although "
                                          "another origin was there",
                                          failed, method));
  }
}

void gateway_outage(Stage& stage) {
  set_up(stage, 2);
  frame_all_bodies(stage);
  add_clients(stage, 2, {.requests = 30});
  const Duration when = up_to(stage.random(), 400ms);
  const Duration length = up_to(stage.random(), 1s) + 100ms;
  for (size_t i = 0; i < 2; ++i) crash_for(stage, stage.origin(i), when, length);
  // An ejection may outlast the outage; when it is over, all must be as before.
  stage.world().after(when + length + 12s, [&stage] {
    const uint64_t refused = stage.ledger().count(Fate::refused);
    stage.clients().add(ClientKind::keep_alive, 2, {.requests = 10});
    stage.world().after(5s, [&stage, refused] {
      stage.expect(stage.ledger().count(Fate::refused) == refused,
                   "requests are still refused long after the outage");
    });
  });
  stage.world().run_for(20s);
  stage.finish({.refused = true, .cut = true, .broken = true});
}

void gateway_reload(Stage& stage) {
  GatewayProcess& gateway = set_up(stage, 3);
  for (size_t i = 0; i < 3; ++i) stage.origin(i).habits().idle_max = 10s;
  add_clients(stage, 2, {.requests = 60});
  const std::vector<SocketAddress> all = stage.origin_addresses();
  constexpr int reloads = 20;
  for (int i = 0; i < reloads; ++i) {
    stage.world().after(40ms * (i + 1), [&stage, &gateway, all, i] {
      std::vector<SocketAddress> some{all[0]};
      for (size_t j = 1; j < all.size(); ++j) {
        if (stage.random().chance(0.5)) some.push_back(all[j]);
      }
      plan::Plan plan = plan_for(some);
      plan.services.at("app").cluster.timeouts.keepalive = i % 2 == 0 ? 3s : 4s;
      gateway.reload(std::move(plan));
    });
  }
  // The last plan sends everything to another service: the first origin must get nothing new.
  const Duration end = 40ms * (reloads + 2);
  stage.world().after(end, [&gateway, all] {
    plan::Plan plan = plan_for({all[0]});
    plan.services["other"] = plan_for({all[1], all[2]}).services.at("app");
    plan.routes[0].service = "other";
    gateway.reload(std::move(plan));
  });
  uint64_t before = 0;
  stage.world().after(end + 100ms, [&stage, &before] { before = stage.origin(0).requests(); });
  stage.finish({});
  const uint64_t after = stage.origin(0).requests();
  stage.expect(
      before > 0 && after == before,
      fmt::format("{} requests went to an origin to which no route led any more", after - before));
}

void gateway_queue(Stage& stage) {
  while (stage.origins() < 2) stage.add_origin();
  plan::Plan plan = plan_for(stage.origin_addresses());
  plan.services.at("app").cluster.concurrency = 2;
  plan.services.at("app").cluster.queue = {.length = 12, .wait = 200ms};
  set_up(stage, plan);
  for (size_t i = 0; i < 2; ++i) stage.origin(i).habits().slow = 0.5;
  add_clients(stage, 3, {.requests = 15});
  stage.finish({.refused = true});
  stage.expect(stage.ledger().count(Fate::answered) > stage.ledger().issued() / 4,
               "hardly anything was answered: " + stage.ledger().summary());
}

void gateway_hedge(Stage& stage) {
  while (stage.origins() < 3) stage.add_origin();
  plan::Plan plan = plan_for(stage.origin_addresses());
  upstream::ClusterConfig& cluster = plan.services.at("app").cluster;
  cluster.hedge = upstream::HedgeConfig{.after = 10ms};
  cluster.hedge->budget.share = Share::percent(50);
  cluster.concurrency = 8;
  cluster.queue = {.length = 100, .wait = 10s};
  GatewayProcess& gateway = set_up(stage, plan);
  for (size_t i = 0; i < 3; ++i) {
    stage.origin(i).habits().idle_max = 10s;
    stage.origin(i).habits().slow = 0.5;
    stage.origin(i).habits().hints = 0.2;
  }
  add_clients(stage, 3, {.requests = 20});
  stage.clients().add(ClientKind::aborting, 3);
  stage.finish({});
  stage.expect(gateway.hedges() > 20, fmt::format("only {} hedges", gateway.hedges()));
}

void gateway_cut(Stage& stage) {
  while (stage.origins() < 2) stage.add_origin();
  plan::Plan plan = plan_for(stage.origin_addresses());
  upstream::ClusterConfig& cluster = plan.services.at("app").cluster;
  cluster.health = upstream::HealthConfig{};
  cluster.health->every = 500ms;
  cluster.health->timeout = 300ms;
  cluster.health->failures = 2;
  cluster.timeouts.connect = 500ms;
  cluster.timeouts.first_byte = 2s;
  set_up(stage, plan);
  add_clients(stage, 2, {.requests = 40});
  Network& network = stage.world().network();
  const HostId origin = stage.origin(0).host();
  const HostId gateway = stage.gateway_host();
  const Duration when = up_to(stage.random(), 500ms);
  const Duration length = up_to(stage.random(), 4s);
  stage.world().after(when, [&network, origin, gateway] { network.partition(gateway, origin); });
  stage.world().after(when + length,
                      [&network, origin, gateway] { network.heal(gateway, origin); });
  stage.finish({.refused = true, .cut = true, .broken = true});
}

void gateway_lossy(Stage& stage) {
  while (stage.origins() < 2) stage.add_origin();
  plan::Plan plan = plan_for(stage.origin_addresses());
  upstream::TimeoutConfig& timeouts = plan.services.at("app").cluster.timeouts;
  timeouts.connect = 500ms;
  timeouts.first_byte = 2s;
  timeouts.idle = 5s;
  timeouts.websocket_idle = 10s;
  set_up(stage, plan);
  frame_all_bodies(stage);
  Network& network = stage.world().network();
  for (size_t i = 0; i < 2; ++i) {
    HostFaults& faults = network.faults(stage.origin(i).host());
    faults.refuse = faults.black_hole = faults.reset = faults.lose = 0.04;
  }
  network.faults(stage.gateway_host()).reset = 0.05;
  network.faults(stage.gateway_host()).lose = 0.05;
  add_clients(stage, 2, {});
  stage.clients().add(ClientKind::aborting, 2);
  stage.finish(anything_visible);
}

void gateway_stop(Stage& stage) {
  GatewayProcess& gateway = set_up(stage, 2);
  for (size_t i = 0; i < 2; ++i) stage.origin(i).habits().idle_max = 10s;
  add_clients(stage, 2, {.requests = 30});
  // These would stay for longer than a drain may take.
  stage.clients().add(ClientKind::keep_alive, 3, {.requests = 3, .think_max = 10min});
  stage.world().after(100ms + up_to(stage.random(), 300ms), [&gateway] { gateway.stop(); });
  // Who comes too late is refused, and an idle connection may close as a request comes.
  stage.finish({.broken = true}, 1h);
  stage.expect(!gateway.had_to_cut(), "a drain had to cut what should have ended by itself");
}

void gateway_famine(Stage& stage) {
  GatewayProcess& gateway = set_up(stage, 2);
  for (size_t i = 0; i < gateway.workers() * 4; ++i) {
    const Duration when = up_to(stage.random(), 1s);
    runtime::Loop& loop = gateway.worker_loop(i % gateway.workers());
    stage.world().after(when, [&stage, &loop] { stage.world().pause(loop, 300ms); });
  }
  stage.world().network().limit_descriptors(stage.gateway_host(), 14);
  add_clients(stage, 2, {.requests = 10});
  stage.finish({.refused = true, .broken = true});
}

}  // namespace spillway::sim
