// plan/schema.h: the plan file as JSON Schema, so that editors complete and check it.
#pragma once

#include <string>

namespace spillway::plan {

// JSON Schema, draft 2020-12, of the whole file, with the docs of the manual: docs/
// spillway.schema.json. Ends with a line end.
std::string json_schema();

}  // namespace spillway::plan
