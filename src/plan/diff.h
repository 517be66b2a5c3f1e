// plan/diff.h: which fields two plans differ in, and whether a reload is enough to apply them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace spillway::plan {

// One difference. Values are left out: they may be secret.
struct Change {
  enum class Kind : uint8_t { changed, added, removed };

  std::string field;  // "services.api.queue.wait", "services.api", "routes[2].path", "routes".
  Kind kind = Kind::changed;
  bool restart = false;  // True: needs `spillway upgrade`; false: applied by a reload.
  bool operator==(const Change&) const = default;
};
std::string_view to_string(Change::Kind kind);

// In the order of the manual; empty if the plans mean the same. A list that grew or shrank is one
// change of the list. `include` is not compared: what it brought in is.
std::vector<Change> compare(const Plan& before, const Plan& after);

}  // namespace spillway::plan
