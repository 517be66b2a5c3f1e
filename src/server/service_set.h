// server/service_set.h: the services of the running plan, their endpoints and their routing.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "gateway/gateway.h"
#include "gateway/service.h"
#include "plan/plan.h"
#include "runtime/loop.h"
#include "upstream/cluster.h"

namespace spillway::server {

// What the files beside a plan came to; all may be absent.
struct FilesRead {
  std::shared_ptr<const gateway::IdentityRules> identity;
  std::shared_ptr<const gateway::Pages> pages;
  std::map<std::string, http::UpstreamTlsPtr> tls;  // By service.
};

// Bridges a plan to the gateway. Lives on the control loop, and only touched there; what it hands
// out is shared by all cores.
class ServiceSet {
 public:
  using Services = std::map<std::string, std::shared_ptr<gateway::Service>>;

  explicit ServiceSet(runtime::Loop& control) : control_(control) {}

  // Makes the plan's services, keeping those that already run with all they know, and its routing.
  // Endpoints that the plan names by address are set at once; those of supervised services stay as
  // they are until their replicas say otherwise.
  std::shared_ptr<const gateway::Routing> apply(const plan::Plan& plan, FilesRead read = {});
  // Of the plan and services that are there.
  std::shared_ptr<const gateway::Routing> routing(FilesRead read) const;

  // The addresses of one host name of a service, when DNS has answered.
  void set_resolved(const std::string& service, const std::string& name,
                    std::vector<IpAddress> addresses);
  // The ready replicas of a supervised service.
  void set_replicas(const std::string& service,
                    const std::vector<upstream::EndpointSpec>& replicas);

  const Services& services() const { return services_; }
  const gateway::RateLimits& limits() const { return limits_; }
  const plan::Plan& plan() const { return plan_; }
  std::shared_ptr<gateway::Service> find(const std::string& name) const;

 private:
  void set_endpoints(const std::string& service, const std::vector<upstream::EndpointSpec>& specs);
  void refresh_static(const std::string& service);

  runtime::Loop& control_;
  plan::Plan plan_;
  Services services_;
  gateway::RateLimits limits_;
  std::map<std::pair<std::string, std::string>, std::vector<IpAddress>> resolved_;
};

}  // namespace spillway::server
