// sim/client.h: simulated clients that check every answer they get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "runtime/gate.h"
#include "runtime/socket.h"
#include "sim/ledger.h"
#include "sim/wire.h"
#include "sim/world.h"

namespace spillway::sim {

enum class ClientKind : uint8_t {
  keep_alive,  // One request after the other on one connection.
  one_shot,    // A connection for each request.
  pipelining,  // Several requests at once, answers in order.
  slow,        // Reads little at a time, with pauses.
  aborting,    // Goes away in the middle, in order or with a reset.
  posting,     // Bodies, by length or in chunks, sometimes with Expect.
  upgrading,   // Switches protocols and talks both ways.
  old,         // HTTP/1.0.
};
constexpr size_t client_kinds = 8;
std::string_view to_string(ClientKind kind);

struct ClientOptions {
  uint32_t requests = 20;
  size_t size_max = 60'000;    // Of an answer's body.
  size_t body_max = 40'000;    // Of a request's body.
  Duration think_max = 20ms;   // Between requests.
  Duration patience = 90s;     // For one answer.
  Duration start_max = 100ms;  // The first request is made within it.
};

// All clients of a scenario: one host and loop, one gate. Every request ends in the ledger.
class Clients {
 public:
  Clients(World& world, Ledger& ledger, std::string name, IpAddress ip, SocketAddress target);
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  void add(ClientKind kind, uint32_t count, const ClientOptions& options = {});
  bool have_ended() const { return coming_ + gate_.count() == 0; }
  // Makes no more requests; those begun are waited for.
  void stop() { is_stopping_ = true; }
  HostId host() const { return host_; }
  runtime::Loop& loop() { return *loop_; }

 private:
  // One request as its client knows it.
  struct Asked {
    uint64_t id = 0;
    std::string_view method;
    size_t size = 0;
    std::string head;
    std::string body;  // Framed.
    bool waits_for_continue = false;
    bool is_upgrade = false;
  };
  struct Client;  // Kind, options and random numbers of one client.
  enum class After : uint8_t { keep, close };

  runtime::Task<void> live(std::unique_ptr<Client> client);
  // Makes up to `most` requests on one connection; how many it made.
  runtime::Task<uint32_t> converse(Client& client, uint32_t most);
  runtime::Task<After> batch(Client& client, runtime::Socket& socket, WireReader& reader,
                             uint32_t count);
  runtime::Task<After> send(Client& client, runtime::Socket& socket, WireReader& reader,
                            const Asked& asked);
  runtime::Task<After> abort(Client& client, runtime::Socket& socket, WireReader& reader,
                             const Asked& asked);
  runtime::Task<Result<After>> take_answer(Client& client, runtime::Socket& socket,
                                           WireReader& reader, const Asked& asked);
  runtime::Task<Result<WireHead>> read_final_head(Client& client, WireReader& reader,
                                                  const Asked& asked);
  runtime::Task<Result<After>> talk(Client& client, runtime::Socket& socket, WireReader& reader,
                                    const Asked& asked);
  Asked ask(Client& client);
  void frame_body(Client& client, Asked& asked, std::string_view body);
  void settle(const Asked& asked, const Error& error, bool has_begun);
  Deadline patience(const Client& client) const;

  World& world_;
  Ledger& ledger_;
  const std::string name_;
  const HostId host_;
  const SocketAddress target_;
  std::unique_ptr<runtime::Loop> loop_;
  runtime::Gate gate_;
  uint32_t clients_ = 0;
  uint64_t coming_ = 0;  // Added, but not yet begun.
  bool is_stopping_ = false;
};

}  // namespace spillway::sim
