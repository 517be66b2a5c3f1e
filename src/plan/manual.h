// plan/manual.h: the plan's fields explained, one by one or as a whole page, from their structs.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace spillway::plan {

// The entry of one field as text for a terminal: meaning, value, default, range, cost of raising
// it, live or restart. `path` is "services.api.queue.wait", with any name where the user chooses
// one; or its end alone, "queue.wait", if no other field ends so.
// Error: not_found, with the nearest name or the fields that end so.
Result<std::string> explain_field(std::string_view path);

// The whole manual as Markdown: docs/plan_reference.md.
std::string plan_reference();

}  // namespace spillway::plan
