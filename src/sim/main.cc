// sim/main.cc: plays scenarios over seeds and says how to replay what fails.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/ascii.h"
#include "sim/scenario.h"

namespace spillway::sim {
namespace {

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct Options {
  uint64_t seed = 1;
  uint64_t seeds = 4;
  std::string_view scenario;
  bool list = false;
  bool is_replay = false;  // One seed: show the trace's hash as well.
};

void explain() {
  fmt::print(
      "usage: spillway_sim [--seed N] [--seeds COUNT] [--scenario NAME] [--list]\n"
      "  --seed N         the first seed; alone, the only one\n"
      "  --seeds COUNT    how many seeds to play, from the first (default 4)\n"
      "  --scenario NAME  only this one\n"
      "  --list           names and says what there is\n");
}

bool read_options(int count, char** arguments, Options& options) {
  bool has_seeds = false;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--list") {
      options.list = true;
      continue;
    }
    if (i + 1 == count) return false;
    const std::string_view value = arguments[++i];
    if (name == "--seed" || name == "--seeds") {
      const auto number = parse_decimal<uint64_t>(value);
      if (!number) return false;
      (name == "--seed" ? options.seed : options.seeds) = *number;
      options.is_replay |= name == "--seed";
      has_seeds |= name == "--seeds";
    } else if (name == "--scenario") {
      options.scenario = value;
    } else {
      return false;
    }
  }
  if (options.is_replay && !has_seeds) options.seeds = 1;
  return options.scenario.empty() || find_scenario(options.scenario) != nullptr;
}

bool play_and_tell(const Scenario& scenario, uint64_t seed, bool is_replay) {
  const Outcome outcome = play(scenario, seed);
  if (outcome.failures.empty()) {
    fmt::print("seed {} scenario {}: ok ({}, {} events", seed, scenario.name, outcome.summary,
               outcome.events);
    if (is_replay) fmt::print(", trace {:016x}", outcome.trace_hash);
    fmt::print(")\n");
    return true;
  }
  fmt::print("seed {} scenario {}: FAILED ({})\n", seed, scenario.name, outcome.summary);
  for (const std::string& line : outcome.trace_tail) fmt::print("    {}\n", line);
  for (const std::string& failure : outcome.failures) fmt::print("  failed: {}\n", failure);
  fmt::print("  replay: ./dev sim --seed {} --scenario {}\n", seed, scenario.name);
  return false;
}

int run(int count, char** arguments) {
  Options options;
  if (!read_options(count, arguments, options)) {
    explain();
    return exit_usage;
  }
  int failed = 0;
  for (const Scenario& scenario : scenarios()) {
    if (!options.scenario.empty() && scenario.name != options.scenario) continue;
    if (options.list) {
      fmt::print("{:16} {}\n", scenario.name, scenario.about);
      continue;
    }
    for (uint64_t i = 0; i < options.seeds; ++i) {
      if (!play_and_tell(scenario, options.seed + i, options.is_replay)) ++failed;
      std::fflush(stdout);
    }
  }
  return failed == 0 ? 0 : exit_failed;
}

}  // namespace
}  // namespace spillway::sim

int main(int count, char** arguments) { return spillway::sim::run(count, arguments); }
