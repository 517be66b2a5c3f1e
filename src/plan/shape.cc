// plan/shape.cc: the shapes of truth values, numbers and text.
#include "plan/shape.h"

#include <charconv>
#include <cmath>

namespace spillway::plan {

Shape boolean_shape() {
  Shape shape{.kind = Shape::Kind::boolean, .expected = "true or false"};
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    if (text != "true" && text != "false") {
      return fail(Error::Code::invalid, "\"" + std::string(text) + "\" is neither true nor false");
    }
    *static_cast<bool*>(value) = text == "true";
    return {};
  };
  shape.show = [](const void* value) -> std::string {
    return *static_cast<const bool*>(value) ? "true" : "false";
  };
  return shape;
}

Shape number_shape() {
  Shape shape{.kind = Shape::Kind::number, .expected = "a number"};
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number,
                                              std::chars_format::fixed);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
      return fail(Error::Code::invalid, "\"" + std::string(text) + "\" is not a number");
    }
    *static_cast<double*>(value) = number;
    return {};
  };
  shape.measure = [](const void* value) { return *static_cast<const double*>(value); };
  shape.show = [](const void* value) {
    char buffer[64];
    const auto [end, error] =
        std::to_chars(buffer, buffer + sizeof buffer, *static_cast<const double*>(value));
    return std::string(buffer, end);
  };
  return shape;
}

Shape text_shape() {
  Shape shape{.kind = Shape::Kind::text, .expected = "text"};
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    if (text.find('\0') != std::string_view::npos) {
      return fail(Error::Code::invalid, "the text has a zero byte in it");
    }
    *static_cast<std::string*>(value) = text;
    return {};
  };
  shape.show = [](const void* value) { return *static_cast<const std::string*>(value); };
  return shape;
}

}  // namespace spillway::plan
