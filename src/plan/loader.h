// plan/loader.h: reads a plan file whole: every problem at once, or a plan that can be run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/problem.h"
#include "plan/surroundings.h"

namespace spillway::plan {

struct LoadResult {
  std::optional<Plan> plan;  // Present exactly if there are no errors.
  std::vector<Problem> errors;
  std::vector<Problem> warnings;
  std::vector<std::string> files;  // Every file read, those of ${file:} included; for --watch.
};

// Included files and secrets are looked up relative to the file that names them. Reads files, so a
// thread that must not wait leaves it to another.
LoadResult load_file(const std::string& path, const Surroundings& surroundings = this_process());

// The same for text that is at hand; `name` stands for the file in messages.
LoadResult load_text(const std::string& text, const std::string& name,
                     const Surroundings& surroundings);

}  // namespace spillway::plan
