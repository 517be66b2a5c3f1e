// server/switchboard.cc: changes held against the plan before workers see them.
#include "server/switchboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/explain.h"
#include "gateway/split.h"

namespace spillway::server {

using gateway::RouteConfig;
using gateway::SplitTarget;

std::vector<std::string> Switchboard::follow(const plan::Plan& plan) {
  split_routes_.clear();
  std::ranges::copy_if(plan.routes, std::back_inserter(split_routes_),
                       [](const RouteConfig& route) { return route.split.has_value(); });
  is_planned_ = plan.maintenance.enabled;
  std::vector<std::string> forgotten;
  for (auto change = switches_.splits.begin(); change != switches_.splits.end();) {
    if (check_split(change->first, switches_)) {
      ++change;
      continue;
    }
    forgotten.push_back(change->first);
    change = switches_.splits.erase(change);
  }
  return forgotten;
}

void Switchboard::set_maintenance(std::optional<bool> is_on, std::optional<Duration> within,
                                  Instant now) {
  switches_.maintenance.reset();
  if (!is_on) return;
  switches_.maintenance = {.is_on = *is_on, .until = within ? now + *within : Instant::max()};
}

Result<void> Switchboard::check_split(const std::string& service,
                                      const gateway::Switches& next) const {
  bool is_target = false;
  bool is_first = false;
  for (const RouteConfig& route : split_routes_) {
    const auto& to = route.split->to;
    const auto side = std::ranges::find(to, service, &SplitTarget::service);
    if (side == to.end()) continue;
    (side == to.begin() ? is_first : is_target) = true;
    const double sum = gateway::shares_of(*route.split, next.splits);
    if (sum <= 1 + 1e-9) continue;
    return fail(Error::Code::invalid,
                fmt::format("{} would share {:.4g}% in all; expected at most 100%",
                            gateway::route_label(route), sum * 100));
  }
  if (is_target) return {};
  return fail(Error::Code::not_found,
              is_first ? fmt::format("\"{}\" gets what the other services of its split leave; "
                                     "change their shares instead",
                                     service)
                       : fmt::format("no route's split has a service \"{}\"", service));
}

Result<void> Switchboard::set_split(const std::string& service,
                                    std::optional<gateway::SplitChange> change) {
  gateway::Switches next = switches_;
  if (change) {
    next.splits[service] = *change;
  } else {
    next.splits.erase(service);
  }
  TRY_VOID(check_split(service, next));
  switches_ = std::move(next);
  return {};
}

admin::SwitchesStatus Switchboard::status(Instant now) const {
  admin::SwitchesStatus status{
      .maintenance = {.is_on = switches_.is_maintenance(is_planned_, now)}};
  const auto& live = switches_.maintenance;
  if (live && now < live->until) {
    status.maintenance.from = "live";
    if (live->until != Instant::max()) status.maintenance.left = live->until - now;
  }
  for (const RouteConfig& route : split_routes_) {
    for (const SplitTarget& target : route.split->to) {
      const bool is_first = &target == &route.split->to.front();
      const auto change = switches_.splits.find(target.service);
      const bool is_live = !is_first && change != switches_.splits.end();
      const auto share_under = [&](const gateway::SplitChanges& changes) {
        return is_first ? 1 - gateway::shares_of(*route.split, changes)
                        : gateway::share_of(target, changes);
      };
      status.splits.push_back({.route = gateway::route_label(route),
                               .service = target.service,
                               .share = share_under(switches_.splits),
                               .planned = share_under({}),
                               .is_off = is_live && change->second.is_off,
                               .from = is_live ? "live" : "plan"});
    }
  }
  return status;
}

std::shared_ptr<const gateway::Switches> Switchboard::switches() const {
  if (switches_ == gateway::Switches{}) return nullptr;
  return std::make_shared<const gateway::Switches>(switches_);
}

}  // namespace spillway::server
