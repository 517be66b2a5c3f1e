// server/replica_endpoints.cc: ready, leaving and gone.
#include "server/replica_endpoints.h"

#include <fmt/format.h>

#include "http/health_probe.h"
#include "runtime/event.h"

namespace spillway::server {

using deploy::ReplicaEndpoint;
using runtime::Task;

ReplicaEndpoints::ReplicaEndpoints(runtime::Loop& control, ServiceSet& services,
                                   runtime::LineWriter& output, std::function<void()> changed)
    : control_(control), services_(services), output_(output), changed_(std::move(changed)) {}

size_t ReplicaEndpoints::ready_count() const {
  size_t count = 0;
  for (const auto& [service, replicas] : ready_) count += replicas.size();
  return count;
}

void ReplicaEndpoints::publish(const std::string& service) {
  std::vector<upstream::EndpointSpec> specs;
  for (const auto& [number, replica] : ready_[service]) {
    specs.push_back({.name = replica.name,
                     .address = replica.address,
                     .incarnation = number,
                     .is_proven = true});
  }
  services_.set_replicas(service, specs);
  changed_();
}

void ReplicaEndpoints::refresh() {
  for (const auto& [service, replicas] : ready_) publish(service);
}

void ReplicaEndpoints::endpoint_ready(const ReplicaEndpoint& endpoint) {
  ready_[endpoint.service][endpoint.number] = endpoint;
  publish(endpoint.service);
}

void ReplicaEndpoints::endpoint_gone(const ReplicaEndpoint& endpoint) {
  if (ready_[endpoint.service].erase(endpoint.number) > 0) publish(endpoint.service);
}

uint32_t ReplicaEndpoints::in_flight(const ReplicaEndpoint& endpoint) {
  const auto service = services_.find(endpoint.service);
  if (service == nullptr) return 0;
  const auto status = service->with(
      [&](gateway::ServiceState& state) { return state.cluster.status(control_.now()); });
  for (const upstream::EndpointStatus& one : status.endpoints) {
    const bool is_it = one.name == endpoint.name && one.address == to_string(endpoint.address);
    if (is_it && !one.is_listed) return one.in_flight;
  }
  return 0;
}

// Out of the list it gets nothing new; its record stays until what it has in flight is done.
Task<void> ReplicaEndpoints::endpoint_leaving(ReplicaEndpoint endpoint, Deadline deadline) {
  constexpr Duration look_again = 20ms;  // A rollout waits for this; nothing else does.
  endpoint_gone(endpoint);
  while (in_flight(endpoint) > 0 && !deadline.has_passed(control_.now())) {
    co_await runtime::sleep(control_, look_again);
  }
}

void ReplicaEndpoints::endpoint_wrote(const std::string& name, bool is_error,
                                      std::string_view line) {
  output_.write_line(fmt::format("{} | {}\n", name, line));
  if (ring_ != nullptr) ring_->append(name, is_error, line);
}

Task<Result<void>> ReplicaEndpoints::probe_ready(deploy::ReplicaEndpoint endpoint,
                                                 std::optional<std::string> path,
                                                 Deadline deadline) {
  if (!path) {
    CO_TRY_VOID(co_await runtime::Socket::connect(control_, endpoint.address, deadline));
    co_return Result<void>{};
  }
  const auto service = services_.find(endpoint.service);
  const bool is_http2 =
      service != nullptr && service->config().protocol == upstream::UpstreamProtocol::http2;
  CO_TRY(answer, co_await http::probe(control_,
                                      {.address = endpoint.address,
                                       .path = *path,
                                       .user_agent = "spillway-ready",
                                       .is_http2 = is_http2,
                                       .tls = service == nullptr ? nullptr : service->tls()},
                                      deadline));
  if (answer.status >= 200 && answer.status < 400) co_return Result<void>{};
  co_return fail(Error::Code::protocol, fmt::format("{} answered {}", *path, answer.status),
                 Error::Blame::upstream);
}

}  // namespace spillway::server
