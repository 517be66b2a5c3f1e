// plan/validate_redis.h: what of `redis`, and of limits that need it, makes no sense together.
#pragma once

#include "plan/binder.h"
#include "plan/plan.h"
#include "plan/validate_shaping.h"

namespace spillway::plan {

// Of a bound plan.
void check_redis(const Plan& plan, const Origins& origins, const Complain& complain);

}  // namespace spillway::plan
