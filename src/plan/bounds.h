// plan/bounds.h: the bounds of a field, compared and written in its own unit.
#pragma once

#include <optional>
#include <string>

#include "base/fields.h"
#include "plan/shape.h"

namespace spillway::plan {

// "below the least allowed, 100ms", or nothing if `value` is within its bounds.
std::optional<std::string> passed_bound(const Shape& shape, const FieldNote& note,
                                        const void* value);

// A bound as the plan writes values of this shape: "100ms", "64KB", "20%", "16".
std::string bound_text(const Shape& shape, const FieldNote& note, double bound);

// "100ms to 1h", "at least 1", or empty.
std::string range_text(const Shape& shape, const FieldNote& note);

}  // namespace spillway::plan
