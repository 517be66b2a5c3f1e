// upstream/retry_budget.cc: compares extra attempts with what is allowed.
#include "upstream/retry_budget.h"

#include <algorithm>

namespace spillway::upstream {

bool RetryBudget::try_take(Instant now) {
  constexpr double window_seconds = std::chrono::duration<double>(RollingWindow<2>::span).count();
  const auto requests_seen = static_cast<double>(window_.sum(requests, now));
  const double allowed =
      std::max(config_.share.of_one * requests_seen, config_.least.each_second() * window_seconds);
  if (static_cast<double>(window_.sum(extras, now)) + 1 > allowed) return false;
  window_.add(extras, now);
  return true;
}

}  // namespace spillway::upstream
