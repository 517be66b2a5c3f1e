// plan/entries.h: every field of the plan in order, with its default, for manual and schema.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plan/shape.h"

namespace spillway::plan {

// One field as the manual knows it.
struct Entry {
  std::string path;    // "services.NAME.queue.wait", "routes[].path"; empty: the plan.
  const Shape* shape;  // Without optional, list or map around it.
  const Shape* outer;  // With them.
  FieldNote note;
  bool restart = false;      // Its own or of a field around it.
  std::string default_text;  // As the plan would write it; empty: none.
  bool is_absent_by_default = false;
};

// Depth first, in the order of `describe`.
std::vector<Entry> all_entries();

// A value in the plan's notation: "30s", "[http://127.0.0.1:8080]"; empty if it is empty.
std::string written(const Shape& shape, const void* value);

// What a field takes: "a duration", "a list of fields", "one of json".
std::string value_text(const Shape& shape);

}  // namespace spillway::plan
