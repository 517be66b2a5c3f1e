// admin/latency.cc: walks the buckets up to the rank that is asked for.
#include "admin/latency.h"

#include "base/check.h"

namespace spillway::admin {

double quantile(std::span<const double> bounds, std::span<const uint64_t> counts, double share) {
  CHECK(counts.size() == bounds.size() + 1);
  uint64_t total = 0;
  for (const uint64_t count : counts) total += count;
  if (total == 0) return 0;
  const double rank = share * static_cast<double>(total);
  double below = 0;
  for (size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= rank) {
      const double lower = i == 0 ? 0 : bounds[i - 1];
      return lower + (bounds[i] - lower) * (rank - below) / here;
    }
    below += here;
  }
  return bounds.back();
}

}  // namespace spillway::admin
