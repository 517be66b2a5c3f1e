// gateway/switches.h: what people turn while requests flow: maintenance, and the shares of splits.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/quantity.h"
#include "base/time.h"

namespace spillway::gateway {

// What holds for one service of splits instead of the plan's word.
struct SplitChange {
  Share share;
  bool is_off = false;  // Nobody goes there, by header or cookie neither.
  bool operator==(const SplitChange&) const = default;
};

using SplitChanges = std::map<std::string, SplitChange>;  // By service.

// The switches as they stand. Immutable, any core: a change is one exchange.
struct Switches {
  struct Maintenance {
    bool is_on = false;
    Instant until;
    bool operator==(const Maintenance&) const = default;
  };
  std::optional<Maintenance> maintenance;  // Absent: as the plan says.
  SplitChanges splits;

  bool is_maintenance(bool is_planned, Instant now) const {
    return maintenance && now < maintenance->until ? maintenance->is_on : is_planned;
  }
  bool operator==(const Switches&) const = default;
};

}  // namespace spillway::gateway
