// server/status_view.cc: copies what people want to see.
#include "server/status_view.h"

#include <algorithm>
#include <utility>

namespace spillway::server {

using upstream::EndpointState;

bool is_usable(const upstream::EndpointStatus& endpoint) {
  return endpoint.takes_work || (endpoint.is_listed && endpoint.state == EndpointState::healthy);
}

namespace {

admin::EndpointStatus view_of(const upstream::EndpointStatus& endpoint) {
  admin::EndpointStatus view{.name = endpoint.name,
                             .address = endpoint.address,
                             .state = std::string(to_string(endpoint.state)),
                             .takes_work = endpoint.takes_work,
                             .weight = endpoint.weight,
                             .in_flight = endpoint.in_flight,
                             .requests = endpoint.counters.requests,
                             .failures = endpoint.counters.failures(),
                             .ejections = endpoint.counters.ejections,
                             .last_probe = endpoint.last_probe,
                             .last_error = endpoint.last_error,
                             .last_error_ago = endpoint.last_error_ago};
  if (endpoint.breaker) view.breaker = std::string(to_string(*endpoint.breaker));
  return view;
}

}  // namespace

admin::ServiceStatus view_of(const upstream::ClusterStatus& cluster, bool is_supervised,
                             std::span<const admin::SupervisedReplica> replicas) {
  const upstream::ClusterCounters& counters = cluster.counters;
  admin::ServiceStatus view{.name = cluster.name,
                            .is_supervised = is_supervised,
                            .balance = cluster.balance,
                            .is_in_panic = cluster.is_in_panic,
                            .in_flight = cluster.in_flight,
                            .queue_length = cluster.queue_length,
                            .queue_length_max = cluster.queue_length_max,
                            .concurrency = cluster.concurrency,
                            .requests = counters.requests,
                            .retries = counters.retries,
                            .refused = counters.refused_no_endpoints + counters.refused_none_fit +
                                       counters.queue_full + counters.queue_too_late +
                                       counters.queue_expired};
  for (const upstream::EndpointStatus& endpoint : cluster.endpoints) {
    view.endpoints.push_back(view_of(endpoint));
  }
  for (const admin::SupervisedReplica& replica : replicas) {
    if (replica.service != cluster.name) continue;
    const auto is_same = [&](const admin::EndpointStatus& endpoint) {
      return endpoint.name == replica.name && endpoint.address == replica.address;
    };
    auto found = std::ranges::find_if(view.endpoints, is_same);
    if (found == view.endpoints.end()) {
      found = view.endpoints.insert(
          found, {.name = replica.name, .address = replica.address, .state = replica.status.state});
    }
    found->replica = replica.status;
  }
  if (is_supervised) {
    // "web.2" before "web.10".
    std::ranges::sort(view.endpoints, {}, [](const admin::EndpointStatus& endpoint) {
      return std::pair(endpoint.name.size(), endpoint.name);
    });
  }
  return view;
}

}  // namespace spillway::server
