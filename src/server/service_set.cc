// server/service_set.cc: from the plan's words to clusters and routing.
#include "server/service_set.h"

namespace spillway::server {

using upstream::EndpointSpec;

std::shared_ptr<gateway::Service> ServiceSet::find(const std::string& name) const {
  const auto found = services_.find(name);
  return found == services_.end() ? nullptr : found->second;
}

std::shared_ptr<const gateway::Routing> ServiceSet::apply(const plan::Plan& plan, FilesRead read) {
  Services next;
  for (const auto& [name, service] : plan.services) {
    const auto before = find(name);
    const auto found = read.tls.find(name);
    const http::UpstreamTlsPtr tls = found == read.tls.end() ? nullptr : found->second;
    if (before == nullptr) {
      next[name] = std::make_shared<gateway::Service>(name, service.cluster, tls);
    } else if (before->config() == service.cluster && before->tls() == tls) {
      next[name] = before;
    } else {
      next[name] =
          std::make_shared<gateway::Service>(*before, service.cluster, tls, control_.now());
      // Who waits may fit now: `concurrency` was raised, say.
      next[name]->with(
          [this](gateway::ServiceState& state) { state.grant(control_.now(), control_.random()); });
    }
  }
  services_ = std::move(next);
  plan_ = plan;
  std::erase_if(resolved_, [&](const auto& entry) { return find(entry.first.first) == nullptr; });
  for (const auto& [name, service] : plan.services) {
    if (!service.is_supervised()) refresh_static(name);
  }
  limits_ = gateway::make_rate_limits(plan.limits, limits_, control_.random());
  return routing(std::move(read));
}

std::shared_ptr<const gateway::Routing> ServiceSet::routing(FilesRead read) const {
  const auto& external = plan_.auth.external;
  return std::make_shared<gateway::Routing>(
      gateway::RoutingParts{.config = plan_.gateway(),
                            .services = services_,
                            .limits = limits_,
                            .identity = std::move(read.identity),
                            .authority = external ? find(external->service) : nullptr,
                            .pages = std::move(read.pages)});
}

void ServiceSet::refresh_static(const std::string& service) {
  std::vector<EndpointSpec> specs;
  for (const plan::EndpointConfig& endpoint : plan_.services.at(service).endpoints) {
    const plan::EndpointAddress& address = endpoint.address;
    if (address.name.empty()) {
      specs.push_back({.name = to_string(address.socket),
                       .address = address.socket,
                       .weight = endpoint.weight});
      continue;
    }
    for (const IpAddress& ip : resolved_[{service, address.name}]) {
      const SocketAddress socket{.ip = ip, .port = address.socket.port};
      specs.push_back({.name = to_string(socket), .address = socket, .weight = endpoint.weight});
    }
  }
  set_endpoints(service, specs);
}

void ServiceSet::set_resolved(const std::string& service, const std::string& name,
                              std::vector<IpAddress> addresses) {
  auto& known = resolved_[{service, name}];
  if (known == addresses) return;
  known = std::move(addresses);
  if (plan_.services.contains(service)) refresh_static(service);
}

void ServiceSet::set_replicas(const std::string& service,
                              const std::vector<EndpointSpec>& replicas) {
  set_endpoints(service, replicas);
}

void ServiceSet::set_endpoints(const std::string& service, const std::vector<EndpointSpec>& specs) {
  const auto found = find(service);
  if (found == nullptr) return;
  found->with([&](gateway::ServiceState& state) {
    state.cluster.set_endpoints(specs, control_.now());
    state.grant(control_.now(), control_.random());
  });
}

}  // namespace spillway::server
