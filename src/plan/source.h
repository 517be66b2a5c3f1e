// plan/source.h: the files of a plan read, joined by `include` and filled in, as one tree.
#pragma once

#include <string>
#include <vector>

#include "plan/document.h"
#include "plan/problem.h"
#include "plan/surroundings.h"

namespace spillway::plan {

struct Source {
  Node root;
  std::vector<std::string> files;  // Plans, then secrets, as they were read; for --watch.
  std::vector<Problem> problems;
};

// `text` is the content of `file`, whose folder is where relative paths begin.
Source read_source(const std::string& file, const std::string& text,
                   const Surroundings& surroundings);

// Replaces ${NAME} and ${file:PATH} in every scalar, once; "$${" stands for "${". What comes in is
// never read as YAML nor replaced again. One line end at a file's end is dropped.
void substitute(Node& root, const std::string& folder, const Surroundings& surroundings,
                std::vector<std::string>& files, std::vector<Problem>& problems);

}  // namespace spillway::plan
