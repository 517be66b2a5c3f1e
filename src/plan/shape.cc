// plan/shape.cc: the shapes of truth values, numbers and text.
#include "plan/shape.h"

#include <charconv>
#include <cmath>

#include "base/quantity.h"

namespace spillway::plan {
namespace {

// A quantity of base: how it is parsed, and what its bounds are compared with.
template <class T>
Shape quantity_shape(Shape::Kind kind, std::string_view expected,
                     Result<T> (*parse)(std::string_view), double (*measure)(T)) {
  Shape shape{.kind = kind, .expected = expected};
  shape.read = [parse](std::string_view text, void* value) -> Result<void> {
    TRY(parsed, parse(text));
    *static_cast<T*>(value) = parsed;
    return {};
  };
  shape.measure = [measure](const void* value) { return measure(*static_cast<const T*>(value)); };
  shape.show = [](const void* value) { return spillway::to_string(*static_cast<const T*>(value)); };
  return shape;
}

}  // namespace

Shape duration_shape() {
  return quantity_shape<Duration>(Shape::Kind::duration,
                                  "a duration such as 250ms, 30s, 5m, 1h or 7d", parse_duration,
                                  [](Duration d) { return static_cast<double>(d.count()); });
}

Shape size_shape() {
  return quantity_shape<ByteSize>(Shape::Kind::size, "a size such as 2048B, 64KB, 10MB or 1GB",
                                  parse_byte_size,
                                  [](ByteSize s) { return static_cast<double>(s.bytes); });
}

Shape share_shape() {
  return quantity_shape<Share>(Shape::Kind::share, "a share such as 20% or 0.1%", parse_share,
                               [](Share s) { return s.of_one * 100; });
}

Shape rate_shape() {
  return quantity_shape<Rate>(Shape::Kind::rate, "a rate such as 10/s, 100/m or 50 per 1m",
                              parse_rate, [](Rate r) { return r.each_second(); });
}

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
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
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
