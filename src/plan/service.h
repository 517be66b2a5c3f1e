// plan/service.h: one service of the plan: replicas of a command, or endpoints that already run.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/fields.h"
#include "deploy/config.h"
#include "upstream/config.h"

namespace spillway::plan {

// Where an endpoint is: an IP address or a name, with a port, or a UNIX socket. Immutable value.
struct EndpointAddress {
  std::string name;  // Not empty: resolved again and again; `socket` then has the port alone.
  SocketAddress socket;

  // "10.0.0.1:4010", "[::1]:4010", "app.internal:4010" or "unix:/run/app.sock".
  static Result<EndpointAddress> parse(std::string_view text);
  auto operator<=>(const EndpointAddress&) const = default;
};
std::string to_string(const EndpointAddress& address);

// One endpoint that already runs. The short form is its address alone.
struct EndpointConfig {
  EndpointAddress address;
  uint32_t weight = 1;

  static Result<EndpointConfig> parse(std::string_view text);

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("address", &EndpointConfig::address,
                {.doc = "ADDRESS:PORT, NAME:PORT or unix:/PATH.",
                 .required = true,
                 .example = "10.0.0.2:4010"});
    visit.field("weight", &EndpointConfig::weight,
                {.doc = "Its share of the requests, relative to the others'.",
                 .minimum = 1,
                 .maximum = upstream::limits::weight_max,
                 .example = "5"});
  }
};

// One service: replicas of a command of the user's, or endpoints that already run; never both.
struct Service {
  deploy::ProcessConfig process;  // `run` and its company; without `run`: endpoints.
  std::vector<EndpointConfig> endpoints;
  upstream::ClusterConfig cluster;  // Balancing, health, timeouts, retries, breaker, queue.

  bool is_supervised() const { return !process.run.empty(); }

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.embed(&Service::process);
    visit.field("endpoints", &Service::endpoints,
                {.doc = "What already runs, instead of `run`: addresses, UNIX sockets or host "
                        "names, which are resolved again and again.",
                 .example = "[10.0.0.1:4010, { address: \"10.0.0.2:4010\", weight: 5 }]"});
    visit.embed(&Service::cluster);
  }
};

}  // namespace spillway::plan
