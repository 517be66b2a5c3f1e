// sim/relay.h: a plain relay of bytes, the simplest program to try a world with.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "runtime/gate.h"
#include "runtime/listener.h"
#include "runtime/socket.h"
#include "sim/subject.h"
#include "sim/world.h"

namespace spillway::sim {

// Connects each client to an origin and copies both ways. It knows no HTTP, so it never retries and
// never answers by itself: scenarios over it test the world and the peers. One loop.
class Relay final : public Subject {
 public:
  Relay(World& world, HostId host, uint32_t core, std::vector<SocketAddress> origins);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void start(const SocketAddress& address) override;
  void stop() override;
  bool is_idle() const override { return gate_.count() == 0; }
  void check(std::vector<std::string>& failures) const override;
  runtime::Loop& loop() { return *loop_; }

 private:
  runtime::Task<void> accept_loop();
  runtime::Task<void> join(runtime::Socket client);
  runtime::Task<void> copy(runtime::Socket& from, runtime::Socket& to, bool& is_broken);

  World& world_;
  const HostId host_;
  const std::vector<SocketAddress> origins_;
  std::unique_ptr<runtime::Loop> loop_;
  runtime::Gate gate_;
  std::unique_ptr<runtime::Listener> listener_;
  bool is_stopped_ = false;
  uint64_t connections_ = 0;
};

}  // namespace spillway::sim
