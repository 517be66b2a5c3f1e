// sim/network.h: hosts, listeners and connections of a world, with the faults they suffer.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "sim/connection.h"

namespace spillway::sim {

class World;

struct NetworkOptions {
  Duration delay_min = 20us;  // One way, drawn once for a connection.
  Duration delay_max = 2ms;
  Duration jitter_max = 200us;  // Added to each segment.
  size_t capacity_min = 2048;   // Bytes that one direction holds before send() would block.
  size_t capacity_max = size_t{96} << 10;
  double split_share = 0.3;            // Of the sends: taken in part, or cut into segments.
  double false_full_share = 0.01;      // Of the sends: refused although there is room.
  double reset_overtakes_share = 0.5;  // Of the resets: what is still under way gets lost.
  Duration retransmit_every = 200ms;
  Duration retransmit_max = 30s;  // Then the connection breaks with ETIMEDOUT (tcp(7)).
};

// What goes wrong with new connections to a host. Shares, 0 to 1.
struct HostFaults {
  double refuse = 0;                  // Connect ends with ECONNREFUSED.
  double black_hole = 0;              // Nothing answers the connect.
  double reset = 0;                   // Breaks at both ends after some bytes.
  double lose = 0;                    // Goes silent after some bytes: nothing arrives any more.
  uint64_t after_bytes_max = 50'000;  // For reset and lose.
};

// The kernel's side of all sockets in a world. Results are the kernel's. One thread.
class Network {
 public:
  Network(World& world, const NetworkOptions& options) : world_(world), options_(options) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  HostId add_host(std::string name, IpAddress ip);
  IpAddress ip(HostId host) const { return hosts_[host.number].ip; }
  HostFaults& faults(HostId host) { return hosts_[host.number].faults; }
  // The bound on open descriptors of a host: accept and connect fail with EMFILE at it.
  void limit_descriptors(HostId host, size_t most) { hosts_[host.number].descriptors_max = most; }
  size_t open_descriptors(HostId host) const { return hosts_[host.number].descriptors; }
  // Cut off: packets are lost until it is on the net again; connections survive a short while.
  void set_on_net(HostId host, bool is_on_net) { hosts_[host.number].is_on_net = is_on_net; }
  void partition(HostId a, HostId b) { partitions_.insert(std::minmax(a, b)); }
  void heal(HostId a, HostId b) { partitions_.erase(std::minmax(a, b)); }
  // The process died: its kernel ends all its connections and refuses new ones. Its own sockets
  // fail with ECONNRESET, so that what is left of its program comes to an end.
  void crash(HostId host);
  // Breaks the connections to and from a host, at both ends.
  void reset_connections(HostId host);

  // Several listeners may share an address; each connection goes to one of them.
  int listen(HostId host, const SocketAddress& address, size_t backlog = 512);
  int connect(HostId from, const SocketAddress& to);
  int connect_result(int fd);
  int local_address(int fd, SocketAddress& address);
  int accept(int listener, SocketAddress& peer);
  int64_t receive(int fd, std::span<char> into);
  int64_t send(int fd, std::span<const iovec> parts);
  void shutdown_write(int fd);
  void reset_on_close(int fd);
  void close(int fd);
  int watch(int fd, Watching watching);
  void unwatch(int fd);
  uint8_t readiness(int fd);  // Of an open descriptor, as poll(2) would say it.

  uint64_t connections_made() const { return connections_made_; }
  uint64_t connections_open() const { return connections_.size(); }

 private:
  struct Host {
    std::string name;
    IpAddress ip;
    HostFaults faults{};
    bool is_on_net = true;
    size_t descriptors = 0;
    size_t descriptors_max = 100'000;
    uint16_t last_port = 30'000;
  };
  struct Listening {
    HostId host;
    SocketAddress address;
    size_t backlog;
    std::vector<uint64_t> queue;  // Connections that nobody has accepted yet, oldest first.
    bool is_dead = false;
  };
  // One slot of the descriptor table: a listener, one end of a connection, or free.
  struct Open {
    HostId host{};
    std::unique_ptr<Listening> listening;
    uint64_t connection = 0;
    Side side = Side::client;
    bool is_open = false;
    Watching watching{};
  };
  static constexpr int first_fd = 1'000'000;  // No real descriptor: one that escapes gets EBADF.

  int open(HostId host);
  Open& at(int fd);
  End* end_of(const Open& open);
  Connection* find(uint64_t id);
  HostId host_of(HostId from, const SocketAddress& to) const;
  bool is_reachable(HostId a, HostId b) const;
  Listening* pick_listening(HostId host, const SocketAddress& to, int& fd);

  void raise(const End& end);
  void raise(int fd);
  void plan_fault(Connection& connection);
  void arrive_syn(uint64_t id, const SocketAddress& to, Duration waited);
  void answer_connect(uint64_t id, int error);
  void put(Connection& connection, Side to, std::string bytes);
  void put_end(Connection& connection, Side to);
  void schedule_delivery(Connection& connection, Side to, Instant when);
  void deliver(uint64_t id, Side to);
  bool hold_back(Connection& connection, Side to);
  void put_reset(Connection& connection, Side to);
  void break_end(End& end, int error);
  void give_room(uint64_t id, Side sender, size_t bytes);
  void count_bytes(Connection& connection, size_t bytes);
  void close_end(Connection& connection, Side side, bool with_reset);
  void close_listening(Listening& listening);
  void reap(uint64_t id);

  World& world_;
  const NetworkOptions options_;
  std::vector<Host> hosts_;
  std::set<std::pair<HostId, HostId>> partitions_;
  std::vector<Open> table_;
  std::set<int> free_;  // Slots to use again, lowest first, as the kernel does.
  std::map<uint64_t, Connection> connections_;
  uint64_t connections_made_ = 0;
};

}  // namespace spillway::sim
