// gateway/filters/filter_list.h: all steps of a request and of its answer, in running order.
#pragma once

#include <string>
#include <vector>

#include "gateway/config.h"
#include "gateway/filter.h"
#include "http/client_pool.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

struct GatewayParts;
struct Routing;

// The steps that this plan needs. `routing`, `scope`, which holds their series, and `pool` outlive
// them.
FilterChain make_filters(const GatewayParts& parts, const Routing& routing, telemetry::Scope& scope,
                         http::ClientPool& pool);

// The same for people, with what each does to requests of `route`; null: no route takes them.
std::vector<std::string> explain_filters(const GatewayConfig& config, const RouteConfig* route);

}  // namespace spillway::gateway
