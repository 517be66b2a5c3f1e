// plan/shape_values.h: shapes of whole numbers, choices and types that parse themselves.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/ascii.h"
#include "base/error.h"
#include "plan/shape.h"

namespace spillway::plan::shape_detail {

template <class T>
T& as(void* value) {
  return *static_cast<T*>(value);
}
template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

template <class T>
Shape integer_shape() {
  Shape shape{.kind = Shape::Kind::integer, .expected = "a whole number"};
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    const auto number = parse_decimal<T>(text);
    if (!number)
      return fail(Error::Code::invalid, "\"" + std::string(text) + "\" is not a whole number");
    as<T>(value) = *number;
    return {};
  };
  shape.measure = [](const void* value) { return static_cast<double>(as<T>(value)); };
  shape.show = [](const void* value) { return std::to_string(as<T>(value)); };
  return shape;
}
template <class T>
Shape choice_shape() {
  Shape shape{.kind = Shape::Kind::choice, .expected = "one of the names this field knows"};
  for (std::string_view name : enum_names(T{})) shape.choices.push_back(name);
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    std::underlying_type_t<T> index = 0;
    for (std::string_view name : enum_names(T{})) {
      if (name == text) {
        as<T>(value) = static_cast<T>(index);
        return {};
      }
      ++index;
    }
    return fail(Error::Code::invalid, "");  // The binder lists the choices.
  };
  shape.show = [](const void* value) {
    return std::string(enum_names(T{})[static_cast<size_t>(as<T>(value))]);
  };
  return shape;
}

template <class T>
Shape parsed_shape() {
  Shape shape{.kind = Shape::Kind::custom};
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    TRY(parsed, T::parse(text));
    as<T>(value) = std::move(parsed);
    return {};
  };
  if constexpr (requires(const T& t) { t.secret_mark(); }) {
    // What is not shown is compared all the same.
    shape.measure = [](const void* value) {
      return static_cast<double>(as<T>(value).secret_mark());
    };
  }
  shape.show = [](const void* value) -> std::string {
    if constexpr (requires(const T& t) { t.text(); }) {
      return std::string(as<T>(value).text());
    } else if constexpr (requires(const T& t) { to_string(t); }) {
      return std::string(to_string(as<T>(value)));
    } else {
      return "";  // An object with a short form: shown by its fields.
    }
  };
  return shape;
}

}  // namespace spillway::plan::shape_detail
