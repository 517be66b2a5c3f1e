// plan/validate.h: what fits its types but makes no sense together.
#pragma once

#include <vector>

#include "plan/binder.h"
#include "plan/plan.h"
#include "plan/problem.h"

namespace spillway::plan {

struct Findings {
  std::vector<Problem> errors;
  std::vector<Problem> warnings;
};

// Also fills in what follows from the rest: the route of a plan without routes, and the service of
// a route that names none where there is only one.
Findings validate(Plan& plan, const Origins& origins);

}  // namespace spillway::plan
