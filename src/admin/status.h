// admin/status.h: what a running instance tells of itself, as plain values.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace spillway::admin {

struct ListenerStatus {
  std::string at;     // As the plan has it.
  std::string bound;  // As it is: the port behind port 0.
  bool operator==(const ListenerStatus&) const = default;
};

// Of the requests of the last minute, tunnels left out. Read from a histogram's buckets, so good to
// the width of a bucket.
struct LatencyStatus {
  Duration p50{};
  Duration p95{};
  Duration p99{};
  bool operator==(const LatencyStatus&) const = default;
};

struct TrafficStatus {
  uint64_t requests = 0;                 // Since the start.
  double requests_per_second = 0;        // Over the last 10 s.
  double error_share = 0;                // Of the last 10 s: answers of 500 and above.
  uint64_t in_flight = 0;                // Tunnels included.
  double active_users = 0;               // Different clients of the last five minutes.
  std::optional<LatencyStatus> latency;  // Absent without requests.
  bool operator==(const TrafficStatus&) const = default;
};

struct ProcessStatus {
  Duration cpu{};  // User and system, since the start.
  uint64_t resident_bytes = 0;
  uint64_t descriptors_open = 0;
  uint64_t descriptors_max = 0;
  bool operator==(const ProcessStatus&) const = default;
};

// A replica that we supervise, beside what its requests tell of it.
struct ReplicaStatus {
  std::string state;  // waiting, starting, ready, draining, stopping, given_up
  pid_t pid = 0;      // 0 while none runs.
  uint32_t restarts = 0;
  std::optional<Duration> uptime;
  std::optional<double> cpu_share;  // Of one core, over the last seconds; 1.0 is one whole core.
  std::optional<uint64_t> resident_bytes;
  std::string last_error;  // Why it last ended or did not start.
  bool operator==(const ReplicaStatus&) const = default;
};

struct EndpointStatus {
  std::string name;
  std::string address;
  std::string state;  // starting, healthy, unhealthy, ejected, draining; of a replica without an
                      // endpoint yet its own state.
  std::optional<std::string> breaker;  // closed, open, half_open; absent without one.
  bool takes_work = false;
  uint32_t weight = 1;
  uint32_t in_flight = 0;
  uint64_t requests = 0;
  uint64_t failures = 0;
  uint64_t ejections = 0;
  std::string last_probe;
  std::string last_error;
  std::optional<Duration> last_error_ago;
  std::optional<ReplicaStatus> replica;
  bool operator==(const EndpointStatus&) const = default;
};

struct ServiceStatus {
  std::string name;
  bool is_supervised = false;
  std::string balance;
  bool is_in_panic = false;
  uint32_t in_flight = 0;
  uint32_t queue_length = 0;
  uint32_t queue_length_max = 0;
  std::optional<uint32_t> concurrency;  // Per endpoint.
  uint64_t requests = 0;
  uint64_t retries = 0;
  uint64_t refused = 0;  // Answered 503: no endpoint, none fit, or no room in the queue.
  std::vector<EndpointStatus> endpoints;
  bool operator==(const ServiceStatus&) const = default;
};

struct InstanceStatus {
  std::string name;
  std::string version;
  pid_t pid = 0;
  Duration uptime{};
  std::string plan;            // The file, or how the plan was given on the command line.
  std::string plan_loaded_at;  // UTC, RFC 3339.
  uint32_t workers = 0;
  bool is_draining = false;
  std::vector<ListenerStatus> listeners;
  std::string admin;
  uint64_t connections_open = 0;
  uint64_t connections_max = 0;
  TrafficStatus traffic;
  ProcessStatus process;
  std::vector<ServiceStatus> services;
  bool operator==(const InstanceStatus&) const = default;
};

// One part of the instance, for /health.
struct ComponentCheck {
  std::string name;  // "worker 0", "service web", "access log", "descriptors", "memory"
  bool is_good = false;
  std::string detail;  // What was found.
  bool operator==(const ComponentCheck&) const = default;
};

}  // namespace spillway::admin
