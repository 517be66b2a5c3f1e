// sim/mutated_main.cc: turns on one known defect after the other; the scenarios must notice each.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/mutation.h"
#include "sim/scenario.h"

namespace spillway::sim {
namespace {

constexpr uint64_t seeds_max = 10;     // A defect that shows less often than that is not caught.
constexpr unsigned seconds_max = 120;  // One that makes the world spin is stopped, and caught.

// Plays until something fails: 1 then, 0 if nothing does.
int play_all() {
  for (uint64_t seed = 1; seed <= seeds_max; ++seed) {
    for (const Scenario& scenario : scenarios()) {
      const Outcome outcome = play(scenario, seed);
      if (outcome.failures.empty()) continue;
      fmt::print("  seed {} scenario {}: {}\n", seed, scenario.name, outcome.failures.front());
      std::fflush(stdout);
      return 1;
    }
  }
  return 0;
}

// In a process of its own, for a defect may end in a failed CHECK.
bool is_caught(std::string_view mutation) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("SPILLWAY_MUTATION", std::string(mutation).c_str(), 1);
    ::alarm(seconds_max);
    ::_exit(play_all());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) fmt::print("  ended by signal {}\n", WTERMSIG(status));
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int run(int count, char** arguments) {
  const std::string_view only = count == 3 && std::string_view(arguments[1]) == "--mutation"
                                    ? std::string_view(arguments[2])
                                    : std::string_view{};
  if (count > 1 && only.empty()) {
    fmt::print("usage: spillway_sim_mutated [--mutation NAME]\n");
    return 2;
  }
  int wrong = 0;
  for (const std::string_view name : enum_names(Mutation{})) {
    if (!only.empty() && name != only) continue;
    const bool caught = is_caught(name);
    const bool is_right = caught == (name != "none");  // Without a defect all must be well.
    fmt::print("mutation {}: {}\n", name,
               name == "none" ? (caught ? "FAILED without any" : "ok")
               : caught       ? "caught"
                              : "MISSED");
    wrong += is_right ? 0 : 1;
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace spillway::sim

int main(int count, char** arguments) { return spillway::sim::run(count, arguments); }
