// gateway/template.h: a plan's template filled in by one request.
#pragma once

#include <optional>
#include <string_view>

#include "gateway/template_config.h"

namespace spillway::gateway {

struct RequestContext;

// The text, as long as the plan or the request lives. Nothing: it does not fit into the request's
// scratch any more (answer 431), or a value has a byte that no header may have.
std::optional<std::string_view> fill_in(const ValueTemplate& value, RequestContext& context);

}  // namespace spillway::gateway
