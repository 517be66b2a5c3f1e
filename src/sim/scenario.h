// sim/scenario.h: named scenarios of workload, faults and checks, and playing one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/stage.h"

namespace spillway::sim {

WorldOptions lively_world();   // The defaults.
WorldOptions orderly_world();  // No reset overtakes bytes: what was sent before it is seen.
WorldOptions tight_world();    // Tiny buffers, a coarse clock, late reports, long delays.

// What is random in a run comes from its seed alone.
struct Scenario {
  std::string_view name;
  std::string_view about;  // Workload and faults, in a line.
  void (*play)(Stage& stage);
  WorldOptions (*options)() = lively_world;
};

struct Outcome {
  std::vector<std::string> failures;  // Empty: all is well.
  std::vector<std::string> trace_tail;
  std::string summary;
  uint64_t trace_hash = 0;
  uint64_t events = 0;
};

std::span<const Scenario> scenarios();
const Scenario* find_scenario(std::string_view name);
Outcome play(const Scenario& scenario, uint64_t seed);

}  // namespace spillway::sim
