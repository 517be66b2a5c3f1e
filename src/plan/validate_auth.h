// plan/validate_auth.h: what of `auth` makes no sense together.
#pragma once

#include "plan/binder.h"
#include "plan/plan.h"
#include "plan/validate.h"

namespace spillway::plan {

// Of a bound plan whose routes are filled in. Files are not read here.
void check_auth(const Plan& plan, const Origins& origins, Findings& findings);

}  // namespace spillway::plan
