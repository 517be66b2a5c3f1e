// gateway/filters/filter_list.h: all steps of a request and of its answer, in running order.
#pragma once

#include <string>
#include <vector>

#include "gateway/config.h"
#include "gateway/filter.h"

namespace spillway::gateway {

struct GatewayParts;

// The steps that this plan needs. `config` outlives them.
FilterChain make_filters(const GatewayParts& parts, const GatewayConfig& config);

// The same for people, with what each does to requests of `route`; null: no route takes them.
std::vector<std::string> explain_filters(const GatewayConfig& config, const RouteConfig* route);

}  // namespace spillway::gateway
