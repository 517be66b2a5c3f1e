// sim/origin.h: a scripted HTTP/1.1 origin server with bad habits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/random.h"
#include "runtime/gate.h"
#include "runtime/listener.h"
#include "runtime/socket.h"
#include "sim/ledger.h"
#include "sim/wire.h"
#include "sim/world.h"

namespace spillway::sim {

// Shares of the answers, 0 to 1, and bounds. May be changed while the origin runs: phases.
struct OriginHabits {
  double chunked = 0.4;
  double until_close = 0.05;  // The body ends with the connection.
  double hints = 0.05;        // 103 before the answer.
  double slow = 0.1;          // Thinks for up to think_max first.
  Duration think_max = 50ms;
  double drips = 0.1;          // Sends in pieces, with pauses.
  double truncates = 0;        // Ends in order in the middle of a body of known length.
  double resets = 0;           // Resets in the middle of the answer.
  double dies_silently = 0;    // Reads the request and closes without an answer.
  double answers_early = 0;    // Before it has read the request's body, and then closes.
  double errors = 0;           // 503, well formed.
  double closes_after = 0.05;  // Says `Connection: close`, and does.
  double slams = 0;            // Closes an idle connection at the very moment a request comes.
  Duration idle_max = 5s;      // A kept-alive connection is closed after that without a request.
};

// Answers `/item/ID?size=N` with body_for(ID, N), `/health` with 200, and echoes on `/echo/ID` once
// upgraded. Lives on a host and a loop of its own. Destroyed only after stop() has ended or the
// world is over.
class Origin {
 public:
  Origin(World& world, Ledger& ledger, std::string name, IpAddress ip, uint16_t port);
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  void start();
  // Dies as by kill -9: all its connections end, and new ones are refused until start().
  void crash();
  // Accepts no more; connections end when they are idle for long enough.
  void stop();
  bool is_idle() const { return gate_.count() == 0; }

  OriginHabits& habits() { return habits_; }
  HostId host() const { return host_; }
  const SocketAddress& address() const { return address_; }
  const std::string& name() const { return name_; }
  runtime::Loop& loop() { return *loop_; }
  uint64_t requests() const { return requests_; }  // Heads read, probes apart.

 private:
  struct Request {
    std::string method;
    uint64_t id = 0;
    size_t size = 0;
    bool is_upgrade = false;
    bool expects_continue = false;
  };
  enum class After : uint8_t { keep, close, reset };

  runtime::Task<void> accept_loop(runtime::Listener& listener);
  runtime::Task<void> serve(runtime::Socket socket);
  runtime::Task<After> serve_one(runtime::Socket& socket, WireReader& reader, WireHead head);
  runtime::Task<After> answer(runtime::Socket& socket, const Request& request);
  runtime::Task<After> echo(runtime::Socket& socket, const Request& request, WireReader& reader);
  bool understand(const WireHead& head, Request& request);
  std::string head_for(const Request& request, After after, bool is_chunked, bool until_close);
  Deadline soon() { return Deadline::after(loop_->now(), 60s); }

  World& world_;
  Ledger& ledger_;
  const std::string name_;
  const HostId host_;
  const SocketAddress address_;
  std::unique_ptr<runtime::Loop> loop_;
  Random random_;
  OriginHabits habits_;
  runtime::Gate gate_;
  std::list<runtime::Listener> listeners_;  // The last one accepts; stopped ones wait for the end.
  bool is_up_ = false;
  uint64_t requests_ = 0;
};

}  // namespace spillway::sim
