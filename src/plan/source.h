// plan/source.h: the files of a plan read, joined by `include` and filled in, as one tree.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "plan/document.h"
#include "plan/problem.h"

namespace spillway::plan {

// Where a plan's text, secrets and variables come from.
struct Surroundings {
  std::function<std::optional<std::string>(std::string_view name)> variable;
  // Error: the file cannot be read, or is longer than limits::file_bytes_max.
  std::function<Result<std::string>(const std::string& path)> read_file;
};
Surroundings this_process();

struct Source {
  Node root;
  std::vector<std::string> files;  // Plans, then secrets, as they were read; for --watch.
  std::vector<Problem> problems;
};

// `text` is the content of `file`, whose folder is where relative paths begin.
Source read_source(const std::string& file, std::string text, const Surroundings& surroundings);

// Replaces ${NAME} and ${file:PATH} in every scalar, once; "$${" stands for "${". What comes in is
// never read as YAML nor replaced again. One line end at a file's end is dropped.
void substitute(Node& root, const std::string& folder, const Surroundings& surroundings,
                std::vector<std::string>& files, std::vector<Problem>& problems);

}  // namespace spillway::plan
