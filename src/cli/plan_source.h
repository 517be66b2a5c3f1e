// cli/plan_source.h: where the plan of an instance comes from, now and at each reload.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "plan/loader.h"

namespace spillway::cli {

// A file, `-- COMMAND` or `--to ADDRESS`. Immutable value.
struct PlanSource {
  std::string text;                        // For people: "spillway.yaml", "--to 127.0.0.1:3000".
  std::function<plan::LoadResult()> load;  // Never null.
  bool is_file = false;                    // Otherwise a reload finds nothing new.
};
PlanSource plan_source(const UpOptions& options);

}  // namespace spillway::cli
