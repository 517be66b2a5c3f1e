// upstream/cluster_testing.h: a Cluster with a clock and dice, for tests only.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "upstream/cluster.h"

namespace spillway::upstream {

// Names are "a", "b", "c" and so on; each at a port of its own.
inline EndpointSpec spec_of(std::string name, uint32_t weight = 1) {
  const auto port = static_cast<uint16_t>(4000 + name.front());
  return {.name = std::move(name),
          .address = {.ip = IpAddress::from_v4(0x7F000001), .port = port},
          .weight = weight};
}

struct ClusterWorld {
  explicit ClusterWorld(ClusterConfig config, const std::string& names = "", uint64_t seed = 1)
      : cluster("api", std::move(config)), random(seed) {
    list(names);
  }

  EndpointsChange list(const std::string& names) {
    std::vector<EndpointSpec> specs;
    for (const char name : names) specs.push_back(spec_of(std::string(1, name)));
    return cluster.set_endpoints(specs, now);
  }
  std::expected<Ticket, PickRefusal> pick() { return cluster.pick({.now = now, .random = random}); }
  EndpointStatus of(const std::string& name) {
    for (const EndpointStatus& endpoint : cluster.status(now).endpoints) {
      if (endpoint.name == name) return endpoint;
    }
    return {};
  }
  EndpointId id(const std::string& name) { return of(name).id; }
  bool probe(const std::string& name, bool is_good) {
    return cluster.record_probe(id(name), is_good, is_good ? "200" : "refused", now);
  }
  // Picks and settles; failing endpoints are named in `bad`. How often each was picked.
  std::map<std::string, int> serve(int count, const std::string& bad = "",
                                   Outcome failure = {Outcome::Kind::failed_connect}) {
    std::map<std::string, int> times;
    for (int i = 0; i < count; ++i) {
      const auto ticket = pick();
      if (!ticket) {
        ++times[std::string(to_string(ticket.error()))];
        continue;
      }
      ++times[*ticket->name];
      const bool is_bad = bad.find(*ticket->name) != std::string::npos;
      cluster.settle(*ticket, is_bad ? failure : Outcome::answered(200), now);
    }
    return times;
  }

  Cluster cluster;
  Random random;
  Instant now = Instant::from_nanoseconds(1'000'000'000'000);
};

}  // namespace spillway::upstream
