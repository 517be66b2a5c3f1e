// plan/bounds.cc: turns bounds, which notes give in seconds, bytes, percent or counts, into values.
#include "plan/bounds.h"

#include <fmt/format.h>

#include <cmath>

#include "base/quantity.h"

namespace spillway::plan {
namespace {

double unit_in_measure(const Shape& shape, const FieldNote& note) {
  if (shape.kind != Shape::Kind::duration) return 1;
  if (note.unit == "ms") return 1e6;
  if (note.unit == "us") return 1e3;
  return 1e9;  // "s", and the default for durations.
}

}  // namespace

std::string bound_text(const Shape& shape, const FieldNote& note, double bound) {
  const double value = bound * unit_in_measure(shape, note);
  switch (shape.kind) {
    case Shape::Kind::duration: return spillway::to_string(Duration(std::llround(value)));
    case Shape::Kind::size: return spillway::to_string(ByteSize{static_cast<uint64_t>(value)});
    case Shape::Kind::share: return spillway::to_string(Share::percent(value));
    default: return fmt::format("{:.12g}", value);
  }
}

std::optional<std::string> passed_bound(const Shape& shape, const FieldNote& note,
                                        const void* value) {
  if (!shape.measure) return std::nullopt;
  const double measured = shape.measure(value);
  const double unit = unit_in_measure(shape, note);
  // Shares are stored as parts of one: 0.1 % and back may differ in the last digit.
  const double slack = shape.kind == Shape::Kind::share ? 1e-9 : 0;
  if (note.minimum && measured < *note.minimum * unit - slack) {
    return "below the least allowed, " + bound_text(shape, note, *note.minimum);
  }
  if (note.maximum && measured > *note.maximum * unit + slack) {
    return "above the most allowed, " + bound_text(shape, note, *note.maximum);
  }
  return std::nullopt;
}

std::string range_text(const Shape& shape, const FieldNote& note) {
  if (note.minimum && note.maximum) {
    return fmt::format("{} to {}", bound_text(shape, note, *note.minimum),
                       bound_text(shape, note, *note.maximum));
  }
  if (note.minimum) return "at least " + bound_text(shape, note, *note.minimum);
  if (note.maximum) return "at most " + bound_text(shape, note, *note.maximum);
  return "";
}

}  // namespace spillway::plan
