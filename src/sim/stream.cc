// sim/stream.cc: bytes between two ends of a simulated connection, and how they get lost.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "sim/network.h"
#include "sim/world.h"

namespace spillway::sim {
namespace {

constexpr Duration gap_max = 3ms;  // Between the segments into which one send is cut.

}  // namespace

int64_t Network::receive(int fd, std::span<char> into) {
  const Open& open = at(fd);
  End& end = *end_of(open);
  const size_t count = std::min(end.unread(), into.size());
  if (count > 0) {
    std::memcpy(into.data(), end.arrived.data() + end.read, count);
    end.read += count;
    if (end.unread() == 0) {
      end.arrived.clear();
      end.read = 0;
    }
    Connection& connection = *find(open.connection);
    world_.after(connection.delay, [this, id = open.connection, sender = other(open.side), count] {
      give_room(id, sender, count);
    });
    world_.trace().note(world_.now(), "receive", fd, static_cast<int64_t>(count));
    return static_cast<int64_t>(count);
  }
  if (end.error != 0) return -std::exchange(end.error, 0);
  if (end.is_broken || end.end_arrived) return 0;
  return -EAGAIN;
}

void Network::give_room(uint64_t id, Side sender, size_t bytes) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  End& end = connection->end(sender);
  end.used -= std::min(bytes, end.used);
  if (end.is_full && end.has_room()) {
    end.is_full = false;
    raise(end);
  }
}

int64_t Network::send(int fd, std::span<const iovec> parts) {
  const Open& open = at(fd);
  End& end = *end_of(open);
  if (end.error != 0) return -std::exchange(end.error, 0);
  if (end.is_broken || end.end_sent) return -EPIPE;
  if (!end.is_connected) return -EAGAIN;
  size_t offered = 0;
  for (const iovec& part : parts) offered += part.iov_len;
  if (offered == 0) return 0;
  Random& splits = world_.random(Concern::splits);
  const bool is_false_alarm = splits.chance(options_.false_full_share);
  size_t count = std::min(offered, end.capacity - end.used);
  if (count == 0 || is_false_alarm) {
    end.is_full = true;
    if (count > 0)
      world_.after(gap_max,
                   [this, id = open.connection, side = open.side] { give_room(id, side, 0); });
    return -EAGAIN;
  }
  if (splits.chance(options_.split_share)) count = 1 + splits.below(count);
  std::string bytes;
  bytes.reserve(count);
  for (const iovec& part : parts) {
    const size_t taken = std::min(part.iov_len, count - bytes.size());
    bytes.append(static_cast<const char*>(part.iov_base), taken);
  }
  end.used += count;
  world_.trace().note(world_.now(), "send", fd, static_cast<int64_t>(count));
  world_.trace().mix(std::string_view(bytes));
  Connection& connection = *find(open.connection);
  put(connection, other(open.side), std::move(bytes));
  count_bytes(connection, count);
  return static_cast<int64_t>(count);
}

// A planned mishap strikes: the connection breaks, or nothing arrives on it any more.
void Network::count_bytes(Connection& connection, size_t bytes) {
  connection.bytes += bytes;
  if (connection.mishap == Mishap::none || connection.bytes < connection.mishap_after) return;
  const Mishap mishap = std::exchange(connection.mishap, Mishap::none);
  world_.trace().note(world_.now(), "mishap", static_cast<int64_t>(connection.id),
                      static_cast<int64_t>(mishap));
  if (mishap == Mishap::lost) {
    connection.is_lost = true;
    return;
  }
  world_.after(connection.delay, [this, id = connection.id] {
    if (Connection* found = find(id)) {
      break_end(found->client, ECONNRESET);
      break_end(found->server, ECONNRESET);
    }
  });
}

// Cuts `bytes` into segments, each a while behind the one before.
void Network::put(Connection& connection, Side to, std::string bytes) {
  Random& splits = world_.random(Concern::splits);
  Random& delays = world_.random(Concern::delays);
  End& end = connection.end(to);
  const auto jitter = delays.below(static_cast<uint64_t>(options_.jitter_max.count()) + 1);
  Instant arrives = std::max(
      world_.now() + connection.delay + Duration(static_cast<int64_t>(jitter)), end.last_arrival);
  while (!bytes.empty()) {
    size_t count = bytes.size();
    if (splits.chance(options_.split_share)) count = 1 + splits.below(count);
    end.under_way.push_back({arrives, bytes.substr(0, count)});
    bytes.erase(0, count);
    end.last_arrival = arrives;
    schedule_delivery(connection, to, arrives);
    arrives = arrives +
              Duration(static_cast<int64_t>(delays.below(static_cast<uint64_t>(gap_max.count()))));
  }
}

void Network::put_end(Connection& connection, Side to) {
  connection.end(other(to)).end_sent = true;
  End& end = connection.end(to);
  const Instant arrives = std::max(world_.now() + connection.delay, end.last_arrival);
  end.last_arrival = arrives;
  end.under_way.push_back({arrives, {}, true});
  schedule_delivery(connection, to, arrives);
}

void Network::schedule_delivery(Connection& connection, Side to, Instant when) {
  world_.at(when, [this, id = connection.id, to] { deliver(id, to); });
}

// Packets do not get through: they are sent again later, and given up in the end.
bool Network::hold_back(Connection& connection, Side to) {
  if (!connection.is_lost && is_reachable(connection.client.host, connection.server.host)) {
    connection.end(to).held_back = Duration::zero();
    return false;
  }
  End& end = connection.end(to);
  const Instant again = world_.now() + options_.retransmit_every;
  if (end.under_way.front().arrives > world_.now()) return true;
  for (Segment& segment : end.under_way) segment.arrives = std::max(segment.arrives, again);
  end.last_arrival = std::max(end.last_arrival, again);
  end.held_back += options_.retransmit_every;
  if (end.held_back > options_.retransmit_max) {
    end.under_way.clear();
    break_end(connection.end(other(to)), ETIMEDOUT);
    return true;
  }
  schedule_delivery(connection, to, again);
  return true;
}

void Network::deliver(uint64_t id, Side to) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  End& end = connection->end(to);
  if (end.under_way.empty() || end.under_way.front().arrives > world_.now()) return;
  if (hold_back(*connection, to)) return;
  bool has_news = false;
  while (!end.under_way.empty() && end.under_way.front().arrives <= world_.now()) {
    Segment segment = std::move(end.under_way.front());
    end.under_way.pop_front();
    if (end.is_closed || end.is_broken) {
      // Bytes for a program that is gone are answered with a reset (RFC 9293 section 3.10.7.4).
      if (!segment.is_end) put_reset(*connection, other(to));
      continue;
    }
    end.arrived += segment.bytes;
    end.end_arrived |= segment.is_end;
    has_news = true;
  }
  if (has_news) raise(end);
}

// A reset may overtake what is still under way.
void Network::put_reset(Connection& connection, Side to) {
  End& end = connection.end(to);
  const bool overtakes = world_.random(Concern::delays).chance(options_.reset_overtakes_share);
  const Instant in_order = std::max(world_.now() + connection.delay, end.last_arrival);
  const Instant arrives = overtakes ? world_.now() + connection.delay : in_order;
  world_.at(arrives, [this, id = connection.id, to] {
    Connection* found = find(id);
    if (found == nullptr) return;
    // Through a cut net no reset comes; the sender is gone, so bytes will be sent in vain.
    if (found->is_lost || !is_reachable(found->client.host, found->server.host)) return;
    break_end(found->end(to), ECONNRESET);
  });
}

void Network::break_end(End& end, int error) {
  if (end.is_closed || end.is_broken) return;
  end.is_broken = true;
  end.error = error;
  end.under_way.clear();
  raise(end);
}

void Network::shutdown_write(int fd) {
  const Open& open = at(fd);
  End& end = *end_of(open);
  if (end.end_sent || end.is_broken || !end.is_connected) return;
  world_.trace().note(world_.now(), "shutdown", fd);
  put_end(*find(open.connection), other(open.side));
  if (end.end_arrived) raise(end);
}

void Network::reset_on_close(int fd) { end_of(at(fd))->resets_on_close = true; }

void Network::close(int fd) {
  Open& open = at(fd);
  world_.trace().note(world_.now(), "close", fd);
  --hosts_[open.host.number].descriptors;
  free_.insert(fd - first_fd);
  Open closed = std::exchange(open, Open{});
  if (closed.listening) return close_listening(*closed.listening);
  Connection& connection = *find(closed.connection);
  close_end(connection, closed.side, connection.end(closed.side).resets_on_close);
  reap(closed.connection);
}

// Closing with bytes unread resets the connection, as the kernel does (RFC 2525 section 2.17).
void Network::close_end(Connection& connection, Side side, bool with_reset) {
  End& end = connection.end(side);
  end.is_closed = true;
  end.fd = -1;
  if (end.is_broken) return;
  if (!end.is_connected) {
    // Connecting: the peer, if it has heard of us, hears that we are gone.
    if (connection.server.is_connected) put_reset(connection, Side::server);
    return;
  }
  if (with_reset || end.unread() > 0) {
    put_reset(connection, other(side));
  } else if (!end.end_sent) {
    put_end(connection, other(side));
  }
}

void Network::reap(uint64_t id) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  const bool client_gone = connection->client.is_closed;
  const bool server_gone = connection->server.is_closed || !connection->server.is_connected;
  if (client_gone && server_gone) connections_.erase(id);
}

}  // namespace spillway::sim
