// sim/driver.h: the driver of a loop that lives in a simulated world.
#pragma once

#include <map>
#include <vector>

#include "runtime/driver.h"
#include "sim/connection.h"
#include "sim/world.h"

namespace spillway::sim {

// Reports edges as epoll does with EPOLLET: something happened to a descriptor, and this is what it
// can do now. Order and lateness of reports come from the seed, and so does how many fit in one
// turn. Never blocks: the world runs the loop when there is something to do. One thread.
class SimulatedDriver final : public runtime::Driver {
 public:
  SimulatedDriver(World& world, HostId host) : world_(world), host_(host) {}
  SimulatedDriver(const SimulatedDriver&) = delete;
  SimulatedDriver& operator=(const SimulatedDriver&) = delete;
  ~SimulatedDriver() override { world_.forget(*this); }

  Instant now() override;
  WallTime wall_now() override { return world_.wall_now(); }
  int watch(runtime::Watch& watch) override;
  void unwatch(runtime::Watch& watch) override;
  void wait(Instant until, runtime::Loop& loop) override;
  void wake() override { is_woken_ = true; }

  int local_address(int fd, SocketAddress& address) override {
    return network().local_address(fd, address);
  }
  int accept(int listener, SocketAddress& peer) override {
    return network().accept(listener, peer);
  }
  int connect(const SocketAddress& to) override { return network().connect(host_, to); }
  int connect_result(int fd) override { return network().connect_result(fd); }
  int64_t receive(int fd, std::span<char> into) override { return network().receive(fd, into); }
  int64_t send(int fd, std::span<const iovec> parts) override { return network().send(fd, parts); }
  int64_t send_file(int fd, int file, uint64_t offset, size_t size) override;
  void shutdown_write(int fd) override { network().shutdown_write(fd); }
  void reset_on_close(int fd) override { network().reset_on_close(fd); }
  void close(int fd) override { network().close(fd); }

  // The network: something happened to a watched descriptor.
  void raise(int fd, runtime::Watch& watch);
  // The world: when the loop wants its next turn.
  Instant next_turn() const;

 private:
  struct Report {
    Instant due;
    runtime::Watch* watch;
  };
  struct Due {
    runtime::Watch* watch;
    uint8_t readiness;
  };
  static constexpr size_t reports_per_turn_max = 64;

  Network& network() { return world_.network(); }
  std::vector<Due> take_due();

  World& world_;
  const HostId host_;
  std::map<int, Report> reports_;  // By descriptor.
  bool is_woken_ = false;
  Instant sleeps_until_{};  // Meaningful unless something woke it.
};

}  // namespace spillway::sim
