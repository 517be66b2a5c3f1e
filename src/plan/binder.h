// plan/binder.h: binds a YAML tree to a config struct, reporting everything that does not fit.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plan/document.h"
#include "plan/problem.h"
#include "plan/shape.h"

namespace spillway::plan {

// Where a field of the plan was written, so that later checks can point at it.
struct Origin {
  Place place;
  bool is_shown = true;  // False: substituted or secret; messages must not repeat the value.
};

// Field paths, "services.api.queue.wait", to where they stand; a map's or list's items too.
class Origins {
 public:
  void add(const std::string& path, Origin origin) { by_path_.emplace(path, std::move(origin)); }
  bool has(const std::string& path) const { return by_path_.contains(path); }
  // The place of the path, or of the nearest field around it.
  Place place(std::string_view path) const;
  // `value` in quotes, or words in its stead if it must not be shown.
  std::string shown(const std::string& path, std::string_view value) const;

 private:
  std::map<std::string, Origin, std::less<>> by_path_;
};

// Fills `value`, of the type that `shape` was made of. What cannot be read keeps its default and is
// a problem.
void bind_tree(const Node& root, const Shape& shape, void* value, Origins& origins,
               std::vector<Problem>& problems);

}  // namespace spillway::plan
