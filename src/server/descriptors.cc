// server/descriptors.cc: setrlimit, and the arithmetic around it.
#include "server/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace spillway::server {
namespace {

// Each client takes a descriptor here and most another to its endpoint.
constexpr uint64_t per_connection = 2;
// Listeners, logs, pipes of replicas, the control API.
constexpr uint64_t others = 1024;

uint64_t raise_to(uint64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_max < wanted) {
    // Only root may; what is refused stays as it was.
    const rlimit higher{.rlim_cur = wanted, .rlim_max = wanted};
    if (::setrlimit(RLIMIT_NOFILE, &higher) == 0) return wanted;
  }
  limit.rlim_cur = limit.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : 0;
}

}  // namespace

uint64_t make_room_for_connections(const plan::Plan& plan, telemetry::Log& log) {
  const uint64_t connections = plan.resources.connections;
  const uint64_t wanted =
      plan.resources.descriptors.value_or(connections * per_connection + others);
  const uint64_t granted = raise_to(wanted);
  const uint64_t fitting = granted <= others ? 1 : (granted - others) / per_connection;
  if (fitting >= connections) return connections;
  // Who has not asked for so many need not be warned.
  const bool is_default = connections == plan::Plan{}.resources.connections;
  log.write(is_default ? telemetry::LogLevel::info : telemetry::LogLevel::warn,
            "fewer client connections than resources.connections: too few descriptors",
            {{"connections", fitting}, {"descriptors", granted}, {"needed", wanted}});
  return fitting;
}

}  // namespace spillway::server
