// plan/loader.cc: source, then binding, then checks; problems of all three together.
#include "plan/loader.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "plan/binder.h"
#include "plan/shape_of.h"
#include "plan/source.h"
#include "plan/validate.h"

namespace spillway::plan {
namespace {

void keep_the_first(std::vector<Problem>& problems) {
  sort_by_place(problems);
  if (problems.size() <= limits::problems_max) return;
  const size_t more = problems.size() - limits::problems_max;
  problems.resize(limits::problems_max);
  problems.push_back({{}, "", fmt::format("and {} more", more)});
}

}  // namespace

LoadResult load_text(const std::string& text, const std::string& name,
                     const Surroundings& surroundings) {
  LoadResult result;
  if (text.size() > limits::file_bytes_max) {
    result.errors.push_back({{name, 0, 0}, "", "is longer than 1 MiB"});
    return result;
  }
  Source source = read_source(name, text, surroundings);
  result.files = std::move(source.files);
  result.errors = std::move(source.problems);

  Plan plan;
  plan.folder = std::filesystem::path(name).parent_path().string();
  Origins origins;
  if (source.root.kind == Node::Kind::map) {
    bind_tree(source.root, shape_of<Plan>(), &plan, origins, result.errors);
    Findings findings = validate(plan, origins);
    for (Problem& error : findings.errors) result.errors.push_back(std::move(error));
    // What could not be read keeps its default, of which no warning speaks truly.
    if (result.errors.empty()) result.warnings = std::move(findings.warnings);
  }
  keep_the_first(result.errors);
  keep_the_first(result.warnings);
  if (result.errors.empty()) result.plan = std::move(plan);
  return result;
}

LoadResult load_file(const std::string& path, const Surroundings& surroundings) {
  auto text = surroundings.read_file(path);
  if (!text) {
    LoadResult result;
    result.files.push_back(path);
    result.errors.push_back({{path, 0, 0}, "", text.error().detail});
    return result;
  }
  return load_text(*text, path, surroundings);
}

}  // namespace spillway::plan
