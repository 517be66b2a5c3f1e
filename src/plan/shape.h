// plan/shape.h: a config struct's fields as data, for everything that reads or writes them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"

namespace spillway::plan {

struct Shape;

struct FieldShape {
  std::string_view name;
  FieldNote note;
  const Shape* shape;
  std::function<void*(void*)> member;  // From the struct to the field.
};

// What a type looks like in the file and how its values are reached. The binder, the manual, the
// JSON Schema and the comparison are ordinary functions over this; only shape_of.h is templates.
// Immutable, one per type; any core. Values are passed as pointers to the very type it was made of.
struct Shape {
  enum class Kind : uint8_t {
    boolean,
    integer,
    number,
    text,
    duration,
    size,
    share,
    rate,
    choice,
    custom,  // Scalars.
    list,
    map,
    object,
    optional,
  };

  Kind kind = Kind::custom;
  std::string_view expected;  // "a duration such as 250ms, 30s, 5m, 1h or 7d"

  // Scalars, and objects that have a short form; otherwise null.
  std::function<Result<void>(std::string_view text, void* value)> read;
  // Scalars only. `measure` gives ns, bytes, percent or the number itself, for the bounds.
  std::function<std::string(const void* value)> show;
  std::function<double(const void* value)> measure;
  std::vector<std::string_view> choices;

  // Lists, maps (whose `at` counts in order of names) and optionals (zero or one).
  const Shape* item = nullptr;
  bool takes_one = false;  // A list whose single item may stand without brackets.
  std::function<size_t(const void* value)> count;
  std::function<const void*(const void* value, size_t index)> at;
  std::function<std::string(const void* value, size_t index)> key_at;  // Maps only.
  std::function<void*(void* value, const std::string& key)> add;
  std::function<void(void* value)> clear;

  // Objects.
  std::vector<FieldShape> fields;
  std::function<std::shared_ptr<void>()> make;  // With its defaults.

  bool is_scalar() const { return kind <= Kind::custom; }
};

// The shapes that need no template; shape_of<T>() is the way to them.
Shape boolean_shape();
Shape number_shape();
Shape text_shape();
Shape duration_shape();
Shape size_shape();
Shape share_shape();
Shape rate_shape();

}  // namespace spillway::plan
