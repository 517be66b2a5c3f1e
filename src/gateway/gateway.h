// gateway/gateway.h: answers every request of one core, by the plan that runs now.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/client_rules.h"
#include "gateway/config.h"
#include "gateway/file_server.h"
#include "gateway/filter.h"
#include "gateway/identity_rules.h"
#include "gateway/metrics.h"
#include "gateway/pages.h"
#include "gateway/proxy.h"
#include "gateway/rate_limit.h"
#include "gateway/request_context.h"
#include "gateway/response_cache.h"
#include "gateway/route_table.h"
#include "gateway/service.h"
#include "gateway/shared_limits.h"
#include "gateway/switches.h"
#include "http/exchange.h"
#include "http/via.h"
#include "telemetry/access_log.h"
#include "telemetry/active_users.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

// What a plan is made into, before it is put together.
struct RoutingParts {
  GatewayConfig config;
  std::map<std::string, std::shared_ptr<Service>> services;  // Those that the routes name.
  RateLimits limits;
  std::shared_ptr<const IdentityRules> identity;  // Null: a plan without `auth`.
  std::shared_ptr<Service> authority;             // Null: without `auth.external`.
  std::shared_ptr<const Pages> pages;             // Null: errors are a line of text.
};

// What a plan means to the gateways of all cores. Immutable once made, so that a reload is one
// pointer exchanged; requests under way keep the one they began with.
struct Routing {
  explicit Routing(RoutingParts parts);

  const GatewayConfig config;
  const RouteTable table;
  // As the routes: the service of each, or those of its split. Empty: it needs none.
  const std::vector<std::vector<std::shared_ptr<Service>>> services;
  const RateLimits limits;
  const std::vector<std::string> labels;  // Of the routes, for metrics and logs.
  const std::shared_ptr<const IdentityRules> identity;
  const std::shared_ptr<Service> authority;  // Who is asked about requests.
  const std::shared_ptr<const Pages> pages;
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
  std::function<void()> want_keys = {};
  std::shared_ptr<const Switches> switches = {};  // Null: all is as the plan says.
  runtime::BlockingPool* file_pool = nullptr;     // Null: no route has files.
  SharedLimits* shared_limits = nullptr;  // Of this core. Null: all limits are this instance's.
  SharedCache* cache = nullptr;           // Null: no route has a cache.
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
  // Ends all connections to services, once what the cache fetches is here. Error:
  // deadline_exceeded, something was cut.
  runtime::Task<Result<void>> close(Deadline deadline);
  // At once, for requests under way too.
  void use(std::shared_ptr<const ClientRules> rules) { parts_.client_rules = std::move(rules); }
  void use(std::shared_ptr<const Switches> switches) { parts_.switches = std::move(switches); }
  void set_access_log(AccessSink* access_log) { parts_.access_log = access_log; }

 private:
  // A plan as this core uses it.
  struct Generation {
    Generation(const GatewayParts& parts, std::shared_ptr<const Routing> its_routing, Proxy& proxy,
               CacheFetches& fetches);
    const std::shared_ptr<const Routing> routing;
    telemetry::Scope scope;
    const FilterChain filters;
    FileServer files;
    ResponseCache cache;
    std::vector<std::vector<std::unique_ptr<RouteMetrics>>> metrics;  // By route, by side.
    RouteMetrics unrouted;  // Requests that no route took.
  };
  class Record;

  static Verdict route(RequestContext& context, Generation& generation);

  GatewayParts parts_;
  Proxy proxy_;
  CacheFetches fetches_;  // Of the cache.
  std::shared_ptr<Generation> generation_;
};

}  // namespace spillway::gateway
