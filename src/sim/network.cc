// sim/network.cc: hosts, descriptors, listeners and how connections come to be.
#include "sim/network.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "runtime/driver.h"
#include "sim/driver.h"
#include "sim/world.h"

namespace spillway::sim {
namespace {

constexpr Duration syn_again = 1s;       // And twice as long each time (tcp(7), tcp_syn_retries).
constexpr Duration syn_wait_max = 127s;  // Six of them, as Linux does.

}  // namespace

HostId Network::add_host(std::string name, IpAddress ip) {
  hosts_.push_back({.name = std::move(name), .ip = ip});
  return {static_cast<uint32_t>(hosts_.size() - 1)};
}

int Network::open(HostId host) {
  Host& owner = hosts_[host.number];
  if (owner.descriptors >= owner.descriptors_max) return -EMFILE;
  ++owner.descriptors;
  int slot = static_cast<int>(table_.size());
  if (free_.empty()) {
    table_.emplace_back();
  } else {
    slot = free_.extract(free_.begin()).value();
  }
  table_[static_cast<size_t>(slot)] = Open{.host = host, .listening = nullptr, .is_open = true};
  return first_fd + slot;
}

Network::Open& Network::at(int fd) {
  CHECK(fd >= first_fd && static_cast<size_t>(fd - first_fd) < table_.size());
  Open& open = table_[static_cast<size_t>(fd - first_fd)];
  CHECK(open.is_open);  // Use after close: in production this hits somebody else's connection.
  return open;
}

Connection* Network::find(uint64_t id) {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

End* Network::end_of(const Open& open) {
  Connection* connection = find(open.connection);
  CHECK(connection != nullptr);
  return &connection->end(open.side);
}

int Network::watch(int fd, Watching watching) {
  at(fd).watching = watching;
  return 0;
}

void Network::unwatch(int fd) { at(fd).watching = {}; }

uint8_t Network::readiness(int fd) {
  const Open& open = at(fd);
  if (open.listening) return open.listening->queue.empty() ? 0 : runtime::readable;
  End& end = *end_of(open);
  if (end.is_broken) {
    return runtime::readable | runtime::writable | runtime::peer_ended | runtime::broken;
  }
  if (!end.is_connected) return 0;
  uint8_t ready = 0;
  if (end.unread() > 0) ready |= runtime::readable;
  if (end.end_arrived) ready |= runtime::readable | runtime::peer_ended;
  // Ended in both directions is a hang-up, even with bytes unread (poll(2), POLLHUP).
  if (end.end_arrived && end.end_sent) {
    ready |= runtime::writable | runtime::peer_ended | runtime::broken;
  }
  if (end.has_room()) {
    ready |= runtime::writable;
  } else {
    end.is_full = true;
  }
  return ready;
}

void Network::raise(int fd) {
  const Watching watching = at(fd).watching;
  if (watching.driver != nullptr) watching.driver->raise(fd, *watching.watch);
}

void Network::raise(const End& end) {
  if (end.fd >= 0 && !end.is_closed) raise(end.fd);
}

int Network::listen(HostId host, const SocketAddress& address, size_t backlog) {
  const int fd = open(host);
  if (fd < 0) return fd;
  at(fd).listening = std::make_unique<Listening>(Listening{host, address, backlog, {}});
  return fd;
}

HostId Network::host_of(HostId from, const SocketAddress& to) const {
  if (to.is_unix() || to.ip.is_loopback()) return from;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (hosts_[i].ip == to.ip) return {static_cast<uint32_t>(i)};
  }
  return {UINT32_MAX};  // Nobody has this address: packets to it are lost.
}

bool Network::is_reachable(HostId a, HostId b) const {
  if (a.number >= hosts_.size() || b.number >= hosts_.size()) return false;
  if (a == b) return true;
  return hosts_[a.number].is_on_net && hosts_[b.number].is_on_net &&
         !partitions_.contains(std::minmax(a, b));
}

int Network::connect(HostId from, const SocketAddress& to) {
  const int fd = open(from);
  if (fd < 0) return fd;
  const uint64_t id = ++connections_made_;
  Open& slot = at(fd);
  slot.connection = id;
  Random& delays = world_.random(Concern::delays);
  Random& splits = world_.random(Concern::splits);
  Connection& connection = connections_[id];
  connection.id = id;
  connection.delay =
      options_.delay_min + Duration(static_cast<int64_t>(delays.below(static_cast<uint64_t>(
                               (options_.delay_max - options_.delay_min).count() + 1))));
  Host& host = hosts_[from.number];
  connection.client.host = from;
  connection.client.address = {host.ip, ++host.last_port, to.is_unix() ? "?" : ""};
  connection.client.fd = fd;
  connection.server.host = host_of(from, to);
  connection.server.address = to;
  for (End* end : {&connection.client, &connection.server}) {
    end->capacity =
        options_.capacity_min + splits.below(options_.capacity_max - options_.capacity_min + 1);
  }
  plan_fault(connection);
  world_.trace().note(world_.now(), "connect", fd, static_cast<int64_t>(id));
  world_.after(connection.delay, [this, id, to] { arrive_syn(id, to, Duration::zero()); });
  return fd;
}

void Network::plan_fault(Connection& connection) {
  const HostId target = connection.server.host;
  if (target.number >= hosts_.size()) return;
  const HostFaults& faults = hosts_[target.number].faults;
  Random& random = world_.random(Concern::faults);
  const double roll = random.unit();
  connection.mishap_after = random.below(faults.after_bytes_max + 1);
  if (roll < faults.reset) {
    connection.mishap = Mishap::reset;
  } else if (roll < faults.reset + faults.lose) {
    connection.mishap = Mishap::lost;
  }
}

Network::Listening* Network::pick_listening(HostId host, const SocketAddress& to, int& fd) {
  std::vector<int> candidates;
  for (size_t i = 0; i < table_.size(); ++i) {
    const Listening* listening = table_[i].is_open ? table_[i].listening.get() : nullptr;
    if (listening == nullptr || listening->is_dead || listening->host != host) continue;
    const SocketAddress& bound = listening->address;
    const bool is_any = !to.is_unix() && !bound.is_unix() && bound.ip.is_unspecified();
    const bool is_v4_any = bound.ip == IpAddress::from_v4(0) && !to.is_unix();
    if (bound == to || ((is_any || is_v4_any) && bound.port == to.port)) {
      candidates.push_back(first_fd + static_cast<int>(i));
    }
  }
  if (candidates.empty()) return nullptr;
  fd = candidates[world_.random(Concern::listeners).below(candidates.size())];
  return at(fd).listening.get();
}

void Network::arrive_syn(uint64_t id, const SocketAddress& to, Duration waited) {
  Connection* connection = find(id);
  if (connection == nullptr || connection->client.is_closed) return;
  const HostId target = connection->server.host;
  bool is_lost = !is_reachable(connection->client.host, target);
  bool is_refused = false;
  if (!is_lost) {
    const HostFaults& faults = hosts_[target.number].faults;
    const double roll = world_.random(Concern::faults).unit();
    is_refused = roll < faults.refuse;
    is_lost = !is_refused && roll < faults.refuse + faults.black_hole;
  }
  int listener = -1;
  Listening* listening = is_lost || is_refused ? nullptr : pick_listening(target, to, listener);
  if (listening != nullptr && listening->queue.size() >= listening->backlog) is_lost = true;
  if (is_lost) {
    if (waited > syn_wait_max) return answer_connect(id, ETIMEDOUT);
    const Duration wait = std::max(syn_again, waited);
    world_.after(wait, [this, id, to, waited, wait] { arrive_syn(id, to, waited + wait); });
    return;
  }
  const int error = listening == nullptr ? ECONNREFUSED : 0;
  if (error == 0) {
    connection->server.is_connected = true;
    listening->queue.push_back(id);
    raise(listener);
  }
  world_.after(connection->delay, [this, id, error] { answer_connect(id, error); });
}

void Network::answer_connect(uint64_t id, int error) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  End& client = connection->client;
  if (client.is_closed || client.is_broken) return;
  world_.trace().note(world_.now(), "connected", client.fd, error);
  if (error == 0) {
    client.is_connected = true;
    raise(client);
  } else {
    break_end(client, error);
  }
}

int Network::connect_result(int fd) { return std::exchange(end_of(at(fd))->error, 0); }

int Network::local_address(int fd, SocketAddress& address) {
  const Open& open = at(fd);
  address = open.listening ? open.listening->address : end_of(open)->address;
  return 0;
}

int Network::accept(int listener, SocketAddress& peer) {
  Open& open_listener = at(listener);
  if (open_listener.listening == nullptr) return -EINVAL;
  if (open_listener.listening->queue.empty()) return -EAGAIN;
  const HostId host = open_listener.host;
  const int fd = open(host);  // May move the table.
  if (fd < 0) return fd;
  auto& queue = at(listener).listening->queue;
  const uint64_t id = queue.front();
  queue.erase(queue.begin());
  Open& slot = at(fd);
  slot.connection = id;
  slot.side = Side::server;
  End& server = *end_of(slot);
  server.fd = fd;
  peer = find(id)->client.address;
  world_.trace().note(world_.now(), "accept", fd, static_cast<int64_t>(id));
  return fd;
}

void Network::close_listening(Listening& listening) {
  listening.is_dead = true;
  for (const uint64_t id : std::exchange(listening.queue, {})) {
    if (Connection* connection = find(id)) close_end(*connection, Side::server, true);
    reap(id);
  }
}

void Network::crash(HostId host) {
  world_.trace().note(world_.now(), "crash", host.number);
  for (Open& open : table_) {
    if (open.is_open && open.listening && open.host == host) close_listening(*open.listening);
  }
  std::vector<uint64_t> ids;
  for (auto& [id, connection] : connections_) {
    for (const Side side : {Side::client, Side::server}) {
      End& end = connection.end(side);
      if (end.host != host || end.is_closed || end.is_broken) continue;
      const bool with_reset = end.unread() > 0;
      if (with_reset) put_reset(connection, other(side));
      if (!with_reset && !end.end_sent) put_end(connection, other(side));
      break_end(end, ECONNRESET);
    }
  }
}

void Network::reset_connections(HostId host) {
  for (auto& [id, connection] : connections_) {
    if (connection.client.host != host && connection.server.host != host) continue;
    break_end(connection.client, ECONNRESET);
    break_end(connection.server, ECONNRESET);
  }
}

}  // namespace spillway::sim
