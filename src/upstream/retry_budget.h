// upstream/retry_budget.h: keeps extra attempts a fixed share of the work, whatever fails.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "upstream/config.h"
#include "upstream/rolling_window.h"

namespace spillway::upstream {

// Owned by a Cluster; shared by all its requests. In the last ten seconds at most `share` of the
// requests, or `least` times ten seconds if that is more, may be extra attempts. Not thread-safe.
class RetryBudget {
 public:
  explicit RetryBudget(const BudgetConfig& config) : config_(config) {}

  void count_request(Instant now) { window_.add(requests, now); }
  // True: one extra attempt is taken from the budget.
  bool try_take(Instant now);

 private:
  enum Column : size_t { requests, extras };
  BudgetConfig config_;
  RollingWindow<2> window_;
};

}  // namespace spillway::upstream
