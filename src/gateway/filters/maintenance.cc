// gateway/filters/maintenance.cc: 503 with the plan's page (RFC 9110 section 15.6.4).
#include "gateway/filters/maintenance.h"

#include <algorithm>
#include <chrono>

#include "gateway/filters/https_redirect.h"

namespace spillway::gateway {

Maintenance::Maintenance(const GatewayParts& parts, const Routing& routing)
    : switches_(parts.switches),
      config_(routing.config.maintenance),
      page_(routing.pages == nullptr ? nullptr : routing.pages->maintenance()),
      retry_after_(
          std::to_string(std::chrono::ceil<std::chrono::seconds>(config_.retry_after).count())) {}

Verdict Maintenance::on_request(RequestContext& context) const {
  const bool is_on = switches_ == nullptr ? config_.enabled
                                          : switches_->is_maintenance(
                                                config_.enabled, context.exchange.loop().now());
  const bool is_off_route = context.route != nullptr && context.route->maintenance;
  if ((!is_on && !is_off_route) || is_acme_challenge(context)) return Verdict::go_on;
  const auto has_it = [&](const IpPrefix& prefix) { return prefix.contains(context.client); };
  if (std::ranges::any_of(config_.allow, has_it)) return Verdict::go_on;
  return context.end_with({.status = 503,
                           .text = "closed for maintenance, please come back later",
                           .fields = {{"retry-after", retry_after_}, {"cache-control", "no-store"}},
                           .page = page_});
}

}  // namespace spillway::gateway
