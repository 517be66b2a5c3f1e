// admin/switch_entry.h: maintenance and the shares of splits as the control API speaks of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

namespace spillway::admin {

// Whether everybody is told to come back later.
struct MaintenanceStatus {
  bool is_on = false;
  std::string from = "plan";     // plan, or live: by `spillway maintenance`.
  std::optional<Duration> left;  // Until the plan's word holds again.
  bool operator==(const MaintenanceStatus&) const = default;
};

// One service of one route's split.
struct SplitEntry {
  std::string route;  // As metrics name it.
  std::string service;
  double share = 0;     // Of one, as it holds.
  double planned = 0;   // As the plan has it.
  bool is_off = false;  // Not even by header or cookie.
  std::string from = "plan";
  bool operator==(const SplitEntry&) const = default;
};

struct SwitchesStatus {
  MaintenanceStatus maintenance;
  std::vector<SplitEntry> splits;
  bool operator==(const SwitchesStatus&) const = default;
};

}  // namespace spillway::admin
