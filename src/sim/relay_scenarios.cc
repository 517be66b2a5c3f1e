// sim/relay_scenarios.cc: scenarios that try the world and its peers over a plain relay.
#include <memory>
#include <vector>

#include "sim/relay.h"
#include "sim/scenarios.h"

namespace spillway::sim {
namespace {

// A relay that knows no HTTP passes on what origins and clients do to each other.
constexpr Allowed visible_ends{.refused = true, .cut = true, .broken = true};

std::vector<Relay*> set_up(Stage& stage, uint32_t count) {
  for (int i = 0; i < 2; ++i) stage.add_origin();
  std::vector<Relay*> relays;
  for (uint32_t core = 0; core < count; ++core) {
    relays.push_back(&stage.add_subject(std::make_unique<Relay>(stage.world(), stage.gateway_host(),
                                                                core, stage.origin_addresses())));
  }
  return relays;
}

// A relay cannot tell a request from another, so an origin must not close between them.
void be_patient(Origin& origin) {
  origin.habits().idle_max = 10min;
  origin.habits().closes_after = 0;
  origin.habits().until_close = 0;
}

void add_clients(Stage& stage, uint32_t each, const ClientOptions& options) {
  for (const ClientKind kind :
       {ClientKind::keep_alive, ClientKind::one_shot, ClientKind::pipelining, ClientKind::slow,
        ClientKind::posting, ClientKind::upgrading}) {
    stage.clients().add(kind, each, options);
  }
}

}  // namespace

void relay_calm(Stage& stage) {
  set_up(stage, 2);
  for (size_t i = 0; i < stage.origins(); ++i) {
    be_patient(stage.origin(i));
    stage.origin(i).habits().idle_max = 10min;
  }
  add_clients(stage, 2, {});
  stage.finish({});
}

void relay_tight(Stage& stage) {
  set_up(stage, 1);
  for (size_t i = 0; i < stage.origins(); ++i) be_patient(stage.origin(i));
  add_clients(stage, 1, {.requests = 6, .size_max = 20'000, .body_max = 8000});
  stage.finish({});
}

void relay_rough(Stage& stage) {
  set_up(stage, 2);
  for (size_t i = 0; i < stage.origins(); ++i) {
    OriginHabits& habits = stage.origin(i).habits();
    habits.truncates = habits.resets = habits.dies_silently = habits.errors = 0.05;
    habits.answers_early = 0.1;
    habits.slams = 0.05;
    habits.idle_max = 40ms;
  }
  add_clients(stage, 2, {});
  stage.clients().add(ClientKind::aborting, 5);
  stage.finish(visible_ends);
}

void relay_crash(Stage& stage) {
  set_up(stage, 2);
  add_clients(stage, 2, {.requests = 40});
  for (size_t i = 0; i < stage.origins(); ++i) {
    Origin& origin = stage.origin(i);
    origin.habits().until_close = 0;  // Nobody can tell a killed one's end from the body's.
    const auto when = Duration(static_cast<int64_t>(stage.random().below(800'000'000)));
    stage.world().after(when, [&origin] { origin.crash(); });
    stage.world().after(when + 200ms, [&origin] { origin.start(); });
  }
  stage.finish(visible_ends);
}

void relay_cut(Stage& stage) {
  set_up(stage, 2);
  add_clients(stage, 2, {.requests = 40});
  const HostId origin = stage.origin(0).host();
  const HostId gateway = stage.gateway_host();
  Network& network = stage.world().network();
  const auto when = Duration(static_cast<int64_t>(stage.random().below(500'000'000)));
  const auto length = Duration(static_cast<int64_t>(stage.random().below(4'000'000'000)));
  stage.world().after(when, [&network, origin, gateway] { network.partition(gateway, origin); });
  stage.world().after(when + length,
                      [&network, origin, gateway] { network.heal(gateway, origin); });
  // The end of a connection may get lost in the cut: only patience ends such a wait.
  stage.finish({.refused = true, .cut = true, .broken = true, .timed_out = true});
}

void relay_lossy(Stage& stage) {
  set_up(stage, 2);
  for (size_t i = 0; i < stage.origins(); ++i) {
    HostFaults& faults = stage.world().network().faults(stage.origin(i).host());
    faults.refuse = faults.black_hole = faults.reset = faults.lose = 0.05;
  }
  stage.world().network().faults(stage.gateway_host()).reset = 0.1;
  add_clients(stage, 2, {});
  stage.finish({.refused = true, .cut = true, .broken = true, .timed_out = true});
}

void relay_famine(Stage& stage) {
  for (Relay* relay : set_up(stage, 2)) {
    for (int i = 0; i < 5; ++i) {
      const auto when = Duration(static_cast<int64_t>(stage.random().below(1'000'000'000)));
      stage.world().after(when, [&stage, relay] { stage.world().pause(relay->loop(), 300ms); });
    }
  }
  stage.world().network().limit_descriptors(stage.gateway_host(), 12);
  add_clients(stage, 3, {.requests = 10});
  stage.finish(visible_ends);
}

}  // namespace spillway::sim
