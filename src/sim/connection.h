// sim/connection.h: the state of one simulated connection: two ends and the bytes between them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "base/address.h"
#include "base/time.h"

namespace spillway::runtime {
struct Watch;
}  // namespace spillway::runtime

namespace spillway::sim {

class SimulatedDriver;

struct HostId {
  uint32_t number = 0;
  auto operator<=>(const HostId&) const = default;
};

enum class Side : uint8_t { client, server };
constexpr Side other(Side side) { return side == Side::client ? Side::server : Side::client; }

// Who hears of a descriptor's readiness.
struct Watching {
  SimulatedDriver* driver = nullptr;
  runtime::Watch* watch = nullptr;
};

// Bytes, or the end of them, on their way to one end.
struct Segment {
  Instant arrives;
  std::string bytes;
  bool is_end = false;
};

struct End {
  HostId host;
  SocketAddress address;
  int fd = -1;  // -1: not accepted yet, or closed.
  bool is_connected = false;
  bool is_closed = false;  // By its program.
  bool resets_on_close = false;

  // What comes in.
  std::deque<Segment> under_way;
  Instant last_arrival{};
  std::string arrived;  // Unread from `read` on.
  size_t read = 0;
  bool end_arrived = false;
  bool is_broken = false;
  int error = 0;         // Of the connection, to be told once (SO_ERROR).
  Duration held_back{};  // How long segments have been sent again in vain.

  // What goes out.
  size_t capacity = 0;
  size_t used = 0;  // Bytes the other side has not read, or whose reading we have not heard of.
  bool is_full = false;  // A send found no room: a report is owed once there is some.
  bool end_sent = false;

  size_t unread() const { return arrived.size() - read; }
  // Room is reported from a third on, as the kernel does (sk_stream_is_writeable).
  bool has_room() const { return (capacity - used) * 3 >= capacity; }
};

enum class Mishap : uint8_t { none, reset, lost };

struct Connection {
  uint64_t id = 0;
  Duration delay{};
  End client;
  End server;
  Mishap mishap = Mishap::none;  // Planned, strikes when mishap_after bytes have been sent.
  uint64_t mishap_after = 0;
  uint64_t bytes = 0;
  bool is_lost = false;

  End& end(Side side) { return side == Side::client ? client : server; }
};

}  // namespace spillway::sim
