// telemetry/metric.cc: builds the table that finds a histogram's bucket.
#include "telemetry/metric.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace spillway::telemetry {

Buckets::Buckets(std::span<const double> bounds) : limits_(bounds.begin(), bounds.end()) {
  CHECK(!bounds.empty() && bounds.size() <= bounds_max);
  CHECK(bounds.front() > 0 && std::isfinite(bounds.back()));
  for (size_t i = 1; i < bounds.size(); ++i) CHECK(bounds[i] >= bounds[i - 1] * 1.125);
  limits_.push_back(std::numeric_limits<double>::infinity());

  // Row 0 takes all that is smaller than the first bound, negative values too; the row after the
  // last bound's takes all that is larger, infinity and NaN too.
  first_key_ = std::bit_cast<int64_t>(bounds.front()) >> key_shift;
  last_row_ = (std::bit_cast<int64_t>(bounds.back()) >> key_shift) - first_key_ + 1;
  for (int64_t row = 0; row <= last_row_; ++row) {
    const double lowest = std::bit_cast<double>((first_key_ + row) << key_shift);
    const auto passed = std::lower_bound(bounds.begin(), bounds.end(), lowest);
    below_.push_back(static_cast<uint8_t>(passed - bounds.begin()));
  }
}

}  // namespace spillway::telemetry
