// cli/status_text.h: the status of an instance as a page for a terminal.
#pragma once

#include <string>
#include <string_view>

#include "admin/status.h"
#include "cli/output.h"

namespace spillway::cli {

// Readable at a glance: what is well is green or plain, what needs a look is yellow, what is broken
// is red. Pure; ends with a line end.
std::string status_text(const admin::InstanceStatus& status, bool is_coloured);

// Of an endpoint or a replica.
Colour colour_of_state(std::string_view state);

}  // namespace spillway::cli
