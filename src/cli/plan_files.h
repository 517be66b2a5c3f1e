// cli/plan_files.h: whether the files that a plan names are there and make sense.
#pragma once

#include "plan/loader.h"

namespace spillway::cli {

// What only a reading of the files can tell is added to the problems; without a plan left if one is
// an error. A plan may be checked where its secrets are not: with `may_be_absent` a file that
// cannot be opened is a warning. Blocks. REQUIRES: there is a plan.
void check_files(plan::LoadResult& loaded, bool may_be_absent);

}  // namespace spillway::cli
