// server/switchboard.h: what people turned while requests flow, beside what the plan says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/switch_entry.h"
#include "base/error.h"
#include "base/time.h"
#include "gateway/switches.h"
#include "plan/plan.h"

namespace spillway::server {

// Lives on the control loop. What is turned survives a reload, but not the process: what is to last
// belongs into the plan.
class Switchboard {
 public:
  // Under a new plan: what fits it no more is forgotten. Returns the services of those changes.
  std::vector<std::string> follow(const plan::Plan& plan);

  // For a time, or until the process ends; nothing: as the plan says.
  void set_maintenance(std::optional<bool> is_on, std::optional<Duration> within, Instant now);
  // Nothing: as the plan says. Errors: not_found, no split has the service, or it is one to fall
  // back to; invalid, a route would share more than everything.
  Result<void> set_split(const std::string& service, std::optional<gateway::SplitChange> change);

  admin::SwitchesStatus status(Instant now) const;
  // For the workers. Called after each change.
  std::shared_ptr<const gateway::Switches> switches() const;

 private:
  Result<void> check_split(const std::string& service, const gateway::Switches& next) const;

  gateway::Switches switches_;
  std::vector<gateway::RouteConfig> split_routes_;  // Those of the plan that have a split.
  bool is_planned_ = false;                         // Maintenance, by the plan.
};

}  // namespace spillway::server
