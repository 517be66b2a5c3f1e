// sim/world.h: a seeded world: one clock, one network, and the loops that live in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "runtime/loop.h"
#include "sim/network.h"
#include "sim/trace.h"

namespace spillway::sim {

class SimulatedDriver;

// What chance decides, each with its own stream of numbers: a new fault does not reshuffle delays.
enum class Concern : uint8_t {
  delays,     // How long a segment is under way.
  splits,     // Where a stream of bytes is cut.
  reports,    // In which order and how late readiness is reported.
  turns,      // Which loop runs next and how long its turn takes.
  faults,     // Which connections go wrong.
  listeners,  // Which of several listeners gets a connection.
};
constexpr size_t concerns = 6;

// How the world behaves when no fault is at work. Defaults: a lively local network.
struct WorldOptions {
  Duration clock_granularity = 1us;
  Duration turn_max = 20us;          // A turn takes up to this much time.
  Duration oversleep_max = 300us;    // A sleeping loop wakes up to this late.
  double report_delay_share = 0.05;  // Of the reports; each by up to report_delay_max.
  Duration report_delay_max = 500us;
  uint64_t turns_max = 20'000'000;  // A run beyond that is a loop that never rests.
  NetworkOptions network{};
};

// Owns time: it stands still while something can run and jumps to the next event when all loops
// sleep. All loops run in the calling thread, one turn at a time, in an order drawn from the seed;
// the same seed and program give the same run. Outlives its loops.
class World {
 public:
  explicit World(uint64_t seed, WorldOptions options = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  uint64_t seed() const { return seed_; }
  const WorldOptions& options() const { return options_; }
  Instant now() const { return now_; }
  WallTime wall_now() const;
  Random& random(Concern concern) { return randoms_[static_cast<size_t>(concern)]; }
  // A stream of its own for a peer or a workload, by its name.
  Random random_for(std::string_view name) const;
  Network& network() { return network_; }
  Trace& trace() { return trace_; }

  // Runs `function` at `when`, between two turns. Faults are made of these.
  void at(Instant when, std::move_only_function<void()> function);
  void after(Duration delay, std::move_only_function<void()> function) {
    at(now_ + delay, std::move(function));
  }

  // A loop on `host`. The world runs it until it is stopped or destroyed.
  std::unique_ptr<runtime::Loop> make_loop(HostId host, uint32_t core);
  std::unique_ptr<runtime::Driver> make_driver(HostId host);
  // For loops made by others around a driver of ours.
  void attach(runtime::Loop& loop);
  // The loop gets no turn for a while: a starved core.
  void pause(runtime::Loop& loop, Duration duration);

  uint64_t turns() const { return turns_; }
  // One turn of each loop that has something to do; if none has, a jump of the clock. False if
  // nothing will happen up to `limit`, where the clock then stands, or the turns are used up.
  bool step(Instant limit);
  // True once `is_done()`; false when `limit` has passed before.
  bool run_until(const std::function<bool()>& is_done, Duration limit);
  void run_for(Duration duration);

 private:
  friend class SimulatedDriver;
  struct Seat {
    SimulatedDriver* driver;
    runtime::Loop* loop;
    Instant paused_until{};
  };

  void forget(SimulatedDriver& driver);
  void fire_due();
  bool run_turns();
  Instant next_event() const;

  const uint64_t seed_;
  const WorldOptions options_;
  std::array<Random, concerns> randoms_;
  Instant now_;
  Trace trace_;
  std::map<std::pair<Instant, uint64_t>, std::move_only_function<void()>> events_;
  uint64_t events_made_ = 0;
  uint64_t turns_ = 0;
  std::vector<Seat> seats_;
  Network network_;
};

}  // namespace spillway::sim
