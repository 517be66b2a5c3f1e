// sim/world.cc: whose turn it is and what time it is.
#include "sim/world.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "sim/driver.h"

namespace spillway::sim {
namespace {

constexpr Instant beginning = Instant::from_nanoseconds(1'000'000'000'000);
constexpr WallTime wall_beginning = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1};
// A pass in which loops keep one another busy without time passing would never end: two loops that
// do nothing but wake each other still take turns, and turns take time.
constexpr Duration turn_least = 1us;

uint64_t seed_of(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325 ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3;
  return hash;
}

std::array<Random, concerns> randoms_of(uint64_t seed) {
  return {Random(seed_of(seed, "delays")),  Random(seed_of(seed, "splits")),
          Random(seed_of(seed, "reports")), Random(seed_of(seed, "turns")),
          Random(seed_of(seed, "faults")),  Random(seed_of(seed, "listeners"))};
}

}  // namespace

World::World(uint64_t seed, WorldOptions options)
    : seed_(seed),
      options_(options),
      randoms_(randoms_of(seed)),
      now_(beginning),
      network_(*this, options.network) {}

World::~World() { CHECK(seats_.empty()); }

WallTime World::wall_now() const { return wall_beginning + (now_ - beginning); }

Random World::random_for(std::string_view name) const { return Random(seed_of(seed_, name)); }

void World::at(Instant when, std::move_only_function<void()> function) {
  events_.emplace(std::pair(std::max(when, now_), events_made_++), std::move(function));
}

std::unique_ptr<runtime::Driver> World::make_driver(HostId host) {
  auto driver = std::make_unique<SimulatedDriver>(*this, host);
  seats_.push_back({driver.get(), nullptr});
  return driver;
}

std::unique_ptr<runtime::Loop> World::make_loop(HostId host, uint32_t core) {
  const uint64_t loop_seed = seed_of(seed_ + seats_.size(), "loop");
  auto loop = std::make_unique<runtime::Loop>(make_driver(host), core, loop_seed);
  attach(*loop);
  return loop;
}

void World::attach(runtime::Loop& loop) {
  for (Seat& seat : seats_) {
    if (static_cast<runtime::Driver*>(seat.driver) == &loop.driver()) seat.loop = &loop;
  }
}

void World::forget(SimulatedDriver& driver) {
  std::erase_if(seats_, [&driver](const Seat& seat) { return seat.driver == &driver; });
}

void World::pause(runtime::Loop& loop, Duration duration) {
  for (Seat& seat : seats_) {
    if (seat.loop == &loop) seat.paused_until = now_ + duration;
  }
}

void World::fire_due() {
  while (!events_.empty() && events_.begin()->first.first <= now_) {
    auto event = events_.extract(events_.begin());
    event.mapped()();
  }
}

bool World::run_turns() {
  Random& random = this->random(Concern::turns);
  std::vector<runtime::Loop*> due;
  for (const Seat& seat : seats_) {
    if (seat.loop == nullptr || seat.paused_until > now_) continue;
    if (seat.driver->next_turn() <= now_) due.push_back(seat.loop);
  }
  for (size_t i = due.size(); i > 1; --i) std::swap(due[i - 1], due[random.below(i)]);
  for (runtime::Loop* loop : due) {
    // An earlier turn or event may have destroyed or stopped it.
    const auto seat = std::ranges::find(seats_, loop, &Seat::loop);
    if (seat == seats_.end()) continue;
    ++turns_;
    if (!loop->run_once(Instant::max())) {
      const auto left = std::ranges::find(seats_, loop, &Seat::loop);
      if (left != seats_.end()) left->loop = nullptr;
    }
    const auto turn_max = static_cast<uint64_t>(options_.turn_max.count());
    now_ = now_ + turn_least + Duration(static_cast<int64_t>(random.below(turn_max)));
    fire_due();
  }
  return !due.empty();
}

Instant World::next_event() const {
  Instant next = events_.empty() ? Instant::max() : events_.begin()->first.first;
  for (const Seat& seat : seats_) {
    if (seat.loop == nullptr) continue;
    next = std::min(next, std::max(seat.driver->next_turn(), seat.paused_until));
  }
  return next;
}

bool World::step(Instant limit) {
  if (turns_ >= options_.turns_max) return false;
  fire_due();
  if (run_turns()) return true;
  const Instant next = next_event();
  if (next > limit) {
    now_ = std::max(now_, limit);
    return false;
  }
  now_ = std::max(now_, next);
  return true;
}

bool World::run_until(const std::function<bool()>& is_done, Duration limit) {
  const Instant end = now_ + limit;
  while (!is_done()) {
    if (now_ >= end || !step(end)) return is_done();
  }
  return true;
}

void World::run_for(Duration duration) {
  const Instant end = now_ + duration;
  while (now_ < end && step(end)) {
  }
}

}  // namespace spillway::sim
