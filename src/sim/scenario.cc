// sim/scenario.cc: the list of scenarios and the playing of one.
#include "sim/scenario.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "sim/scenarios.h"

namespace spillway::sim {
namespace {

constexpr size_t tail_lines = 40;

constexpr Scenario all_scenarios[] = {
    {"relay_calm", "every kind of client through a plain relay; nothing goes wrong", relay_calm},
    {"relay_tight", "tiny buffers, a coarse clock, late reports, long delays", relay_tight,
     tight_world},
    {"relay_rough", "origins truncate, reset and slam; clients go away", relay_rough},
    {"relay_crash", "origins are killed and come back", relay_crash},
    {"relay_cut", "the net is cut between relay and origins, and healed", relay_cut},
    {"relay_lossy", "connections are refused, ignored, reset or lost at random", relay_lossy},
    {"relay_famine", "the relay has few descriptors and starved cores", relay_famine},
    {"gateway_calm", "every kind of client through the gateway; nothing may fail", gateway_calm},
    {"gateway_tight", "the same with tiny buffers, a coarse clock and late reports", gateway_tight,
     tight_world},
    {"gateway_rough", "origins break every rule of courtesy; clients go away", gateway_rough,
     orderly_world},
    {"gateway_kill", "one origin of two is killed again and again; no GET may notice", gateway_kill,
     orderly_world},
    {"gateway_outage", "all origins die and come back; answers then come as before",
     gateway_outage},
    {"gateway_reload", "reloads change origins, services and routes; nothing may fail",
     gateway_reload},
    {"gateway_queue", "origins take two requests at a time; the others wait", gateway_queue},
    {"gateway_hedge", "slow origins are helped by second attempts; nothing may fail or run twice",
     gateway_hedge},
    {"gateway_cut", "the net to one origin is cut and healed; probes notice", gateway_cut},
    {"gateway_lossy", "connections on both sides are refused, ignored, reset or lost",
     gateway_lossy},
    {"gateway_stop", "a graceful stop in the middle of the work; nothing has to be cut",
     gateway_stop},
    {"gateway_famine", "few descriptors and starved cores", gateway_famine},
};

}  // namespace

WorldOptions lively_world() { return {}; }

WorldOptions orderly_world() {
  WorldOptions options;
  options.network.reset_overtakes_share = 0;
  return options;
}

WorldOptions tight_world() {
  WorldOptions options;
  options.clock_granularity = 1ms;
  options.report_delay_share = 0.4;
  options.report_delay_max = 5ms;
  // Room for one batch of a pipelining client, who reads nothing before all is sent.
  options.network.capacity_min = 640;
  options.network.capacity_max = 3000;
  options.network.delay_max = 15ms;
  options.network.jitter_max = 5ms;
  options.network.split_share = 0.7;
  options.network.false_full_share = 0.1;
  return options;
}

std::span<const Scenario> scenarios() { return all_scenarios; }

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::ranges::find(all_scenarios, name, &Scenario::name);
  return found == std::end(all_scenarios) ? nullptr : found;
}

Outcome play(const Scenario& scenario, uint64_t seed) {
  auto stage = std::make_unique<Stage>(seed, scenario.options());
  scenario.play(*stage);
  Outcome outcome;
  outcome.failures = stage->failures();
  outcome.trace_tail = stage->world().trace().tail(tail_lines);
  outcome.summary = stage->ledger().summary();
  outcome.trace_hash = stage->world().trace().hash();
  outcome.events = stage->world().trace().events();
  // Suspended coroutines cannot be destroyed: a run that did not come to its end is left behind.
  if (!stage->is_over()) (void)stage.release();
  return outcome;
}

}  // namespace spillway::sim
