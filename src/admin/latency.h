// admin/latency.h: quantiles of a distribution that is known by its buckets.
#pragma once

#include <cstdint>
#include <span>

namespace spillway::admin {

// The value below which `share` of the observations lie, straight between the bounds of the bucket
// it falls into, as Prometheus's histogram_quantile computes it; the last bound for what lies
// beyond. `counts` has one bucket more than `bounds`. 0 without observations. Pure.
double quantile(std::span<const double> bounds, std::span<const uint64_t> counts, double share);

}  // namespace spillway::admin
