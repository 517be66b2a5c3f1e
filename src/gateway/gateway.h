// gateway/gateway.h: answers every request of one core, by the plan that runs now.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/client_rules.h"
#include "gateway/config.h"
#include "gateway/filter.h"
#include "gateway/identity_rules.h"
#include "gateway/metrics.h"
#include "gateway/proxy.h"
#include "gateway/rate_limit.h"
#include "gateway/request_context.h"
#include "gateway/route_table.h"
#include "gateway/service.h"
#include "gateway/shared_limits.h"
#include "http/exchange.h"
#include "http/via.h"
#include "telemetry/access_log.h"
#include "telemetry/active_users.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

// What a plan means to the gateways of all cores. Immutable once made, so that a reload is one
// pointer exchanged; requests under way keep the one they began with.
struct Routing {
  // `its_identity` and `its_authority` may be null: a plan without `auth`, and without `external`.
  Routing(GatewayConfig its_config, std::vector<std::shared_ptr<Service>> its_services,
          RateLimits its_limits, std::shared_ptr<const IdentityRules> its_identity = nullptr,
          std::shared_ptr<Service> its_authority = nullptr);

  const GatewayConfig config;
  const RouteTable table;
  const std::vector<std::shared_ptr<Service>> services;  // As the routes; null: it needs none.
  const RateLimits limits;
  const std::vector<std::string> labels;  // Of the routes, for metrics and logs.
  const std::shared_ptr<const IdentityRules> identity;
  const std::shared_ptr<Service> authority;  // Who is asked about requests.
};

// Takes a line of the access log. One core.
class AccessSink {
 public:
  virtual void append(std::string_view line) = 0;

 protected:
  ~AccessSink() = default;
};

// What a gateway uses of its process; all outlive it.
struct GatewayParts {
  runtime::Loop& loop;
  const MetricFamilies& families;
  telemetry::ActiveUsers& active_users;
  const http::Via& via;
  AccessSink* access_log = nullptr;  // Null: no access log.
  ProxyOptions proxy;
  std::shared_ptr<const ClientRules> client_rules;  // Null: all clients are served.
  // A token names a key of its issuer that is not here. May be null.
  std::function<void()> want_keys;
  SharedLimits* shared_limits = nullptr;  // Of this core. Null: all limits are this instance's.
};

// One per core, and only touched by it.
class Gateway final : public http::RequestHandler {
 public:
  Gateway(const GatewayParts& parts, std::shared_ptr<const Routing> routing);

  // The whole way of a request, in running order.
  runtime::Task<void> serve(http::Exchange& exchange) override;
  void on_refused(const http::RefusedRequest& refused) override;

  // From now on new requests follow this plan.
  void use(std::shared_ptr<const Routing> routing);
  Proxy& proxy() { return proxy_; }
  // At once, for requests under way too.
  void use(std::shared_ptr<const ClientRules> rules) { parts_.client_rules = std::move(rules); }
  void set_access_log(AccessSink* access_log) { parts_.access_log = access_log; }

 private:
  // A plan as this core uses it.
  struct Generation {
    Generation(const GatewayParts& parts, std::shared_ptr<const Routing> its_routing,
               http::ClientPool& pool);
    const std::shared_ptr<const Routing> routing;
    telemetry::Scope scope;
    const FilterChain filters;
    std::vector<std::unique_ptr<RouteMetrics>> metrics;  // By route number.
    RouteMetrics unrouted;                               // Requests that no route took.
  };
  class Record;

  static Verdict route(RequestContext& context, const Generation& generation,
                       RouteMetrics*& metrics);

  GatewayParts parts_;
  Proxy proxy_;
  std::shared_ptr<Generation> generation_;
};

}  // namespace spillway::gateway
