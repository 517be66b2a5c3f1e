// plan/surroundings.h: where a plan's files, secrets and variables come from.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace spillway::plan {

struct Surroundings {
  std::function<std::optional<std::string>(std::string_view name)> variable;
  // Error: the file cannot be read, or is longer than limits::file_bytes_max.
  std::function<Result<std::string>(const std::string& path)> read_file;
};

// The environment of this process and the files of this machine.
Surroundings this_process();

}  // namespace spillway::plan
