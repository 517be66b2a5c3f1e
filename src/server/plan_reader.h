// server/plan_reader.h: reads the files that a plan names, and remembers which they were.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "runtime/file.h"

namespace spillway::server {

// For one reading of one plan. Blocks.
class PlanReader {
 public:
  explicit PlanReader(const plan::Plan& plan) : folder_(plan.folder) {}

  // At most `bytes_max`. `path` is as in the plan: relative to it, or absolute. Errors as
  // runtime::read_file_blocking.
  Result<std::string> read(const std::string& path, size_t bytes_max) {
    paths_.push_back((folder_ / path).lexically_normal().string());
    return runtime::read_file_blocking(paths_.back(), bytes_max);
  }
  // All that were read, there or not.
  std::vector<std::string> take_paths() { return std::move(paths_); }

 private:
  const std::filesystem::path folder_;
  std::vector<std::string> paths_;
};

// A bundle of all public roots is a fifth of it.
inline constexpr size_t pem_bytes_max = size_t{1} << 20;

}  // namespace spillway::server
