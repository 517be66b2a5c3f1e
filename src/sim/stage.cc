// sim/stage.cc: setting up, closing down and looking for what was left behind.
#include "sim/stage.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace spillway::sim {
namespace {

// After the last request: idle limits and lost connections come to their end within it.
constexpr Duration close_down_max = std::chrono::minutes(5);
constexpr uint16_t gateway_port = 8080;
constexpr uint16_t origin_port = 3000;

IpAddress address(uint8_t net, size_t number) {
  return IpAddress::from_v4(0x0A000000U | static_cast<uint32_t>(net) << 16 |
                            static_cast<uint32_t>(number));
}

}  // namespace

Stage::Stage(uint64_t seed, const WorldOptions& options)
    : world_(seed, options),
      random_(world_.random_for("scenario")),
      gateway_host_(world_.network().add_host("gateway", address(0, 1))),
      gateway_address_{address(0, 1), gateway_port, {}},
      clients_(world_, ledger_, "clients", address(2, 1), gateway_address_) {}

Origin& Stage::add_origin() {
  const size_t number = origins_.size() + 1;
  Origin& origin = origins_.emplace_back(world_, ledger_, fmt::format("origin{}", number),
                                         address(1, number), origin_port);
  origin.start();
  return origin;
}

std::vector<SocketAddress> Stage::origin_addresses() const {
  std::vector<SocketAddress> result;
  for (const Origin& origin : origins_) result.push_back(origin.address());
  return result;
}

void Stage::expect(bool holds, std::string otherwise) {
  if (!holds) failures_.push_back(std::move(otherwise));
}

void Stage::finish(const Allowed& allowed, Duration limit) {
  const bool ended = world_.run_until([this] { return clients_.have_ended(); }, limit);
  expect(ended, fmt::format("clients have not ended after {} s: {} requests in flight", limit / 1s,
                            ledger_.in_flight()));
  ledger_.close();
  for (const std::string& violation : ledger_.violations()) failures_.push_back(violation);
  const bool is_fine = (allowed.refused || ledger_.count(Fate::refused) == 0) &&
                       (allowed.cut || ledger_.count(Fate::cut) == 0) &&
                       (allowed.broken || ledger_.count(Fate::broken) == 0) &&
                       (allowed.timed_out || ledger_.count(Fate::timed_out) == 0);
  if (!is_fine) {
    const std::vector<std::string> failed = ledger_.failures();
    failures_.push_back(fmt::format("requests failed: {}", ledger_.summary()));
    for (size_t i = 0; i < std::min(failed.size(), size_t{12}); ++i) failures_.push_back(failed[i]);
  }
  if (!ended) return;
  close_down();
  if (is_over_) look_for_leftovers();
}

void Stage::close_down() {
  for (auto& subject : subjects_) subject->stop();
  const bool idle = world_.run_until(
      [this] {
        return std::ranges::all_of(subjects_, [](const auto& each) { return each->is_idle(); });
      },
      close_down_max);
  expect(idle, "the subject does not come to its end");
  for (Origin& origin : origins_) origin.stop();
  const bool origins_idle = world_.run_until(
      [this] {
        return std::ranges::all_of(origins_, [](const Origin& each) { return each.is_idle(); });
      },
      close_down_max);
  expect(origins_idle, "connections to origins stay open");
  world_.run_for(1s);  // What was closed is freed at the end of a turn.
  is_over_ = idle && origins_idle;
}

void Stage::look_for_leftovers() {
  for (const auto& subject : subjects_) subject->check(failures_);
  Network& network = world_.network();
  const size_t open = network.open_descriptors(gateway_host_);
  expect(open == 0, fmt::format("{} descriptors leaked", open));
  expect(network.connections_open() == 0,
         fmt::format("{} connections left open", network.connections_open()));
  expect(soft_check_failures() == 0, "a soft check has failed");
}

}  // namespace spillway::sim
