// gateway/split.h: which side of a split a request goes to, decided by values alone.
#pragma once

#include <cstddef>

#include "gateway/split_config.h"
#include "gateway/switches.h"
#include "http/field.h"

namespace spillway::gateway {

// The side that a header or cookie asks for; 0, the first, if none does.
size_t side_by_fields(const SplitConfig& split, const SplitChanges& changes,
                      const http::HeaderList& fields);
// The side of a point on the line from 0 to 1, along which the shares lie from the second service
// on; the first has what is left.
size_t side_by_share(const SplitConfig& split, const SplitChanges& changes, double point);
// The share of a service that is not the first.
double share_of(const SplitTarget& target, const SplitChanges& changes);
// What the shares come to; more than 1 cannot be.
double shares_of(const SplitConfig& split, const SplitChanges& changes);

}  // namespace spillway::gateway
