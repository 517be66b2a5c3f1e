// cli/explanation_text.h: an explanation as text for a terminal.
#pragma once

#include <string>

#include "gateway/explain.h"

namespace spillway::cli {

// Pure; ends with a line end.
std::string explanation_text(const gateway::Explanation& explanation, bool is_coloured);

}  // namespace spillway::cli
