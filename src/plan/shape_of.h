// plan/shape_of.h: makes the Shape of a type from its `describe`, its `parse` or what it is made of.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/quantity.h"
#include "plan/shape.h"

namespace spillway::plan {

template <class T>
const Shape& shape_of();

namespace shape_detail {

template <class T>
T& as(void* value) { return *static_cast<T*>(value); }
template <class T>
const T& as(const void* value) { return *static_cast<const T*>(value); }

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

template <class T>
concept Parsed = requires(std::string_view text) {
  { T::parse(text) } -> std::same_as<Result<T>>;
};

// Takes the fields of one struct, those of embedded structs among them.
template <class Root>
class Fields {
 public:
  using Reach = std::function<void*(void*)>;
  Fields(std::vector<FieldShape>& fields, Reach reach) : fields_(fields), reach_(std::move(reach)) {}

  template <class Owner, class Member>
  void field(std::string_view name, Member Owner::* member, const FieldNote& note) {
    fields_.push_back({name, note, &shape_of<Member>(), to(member)});
  }
  // The fields of a member struct appear as this struct's own.
  template <class Owner, class Member>
  void embed(Member Owner::* member) {
    Fields<Member> inner(fields_, to(member));
    Member::describe(inner);
  }

 private:
  template <class Owner, class Member>
  Reach to(Member Owner::* member) const {
    return [reach = reach_, member](void* root) -> void* {
      return &(as<Owner>(reach(root)).*member);
    };
  }
  std::vector<FieldShape>& fields_;
  Reach reach_;
};

struct Probe {
  template <class Owner, class Member>
  void field(std::string_view, Member Owner::*, const FieldNote&) {}
  template <class Owner, class Member>
  void embed(Member Owner::*) {}
};
template <class T>
concept Described = requires(Probe& probe) { T::describe(probe); };

template <class T, class Parse, class Measure>
Shape scalar(Shape::Kind kind, std::string_view expected, Parse parse, Measure measure) {
  Shape shape{.kind = kind, .expected = expected};
  shape.read = [parse](std::string_view text, void* value) -> Result<void> {
    TRY(parsed, parse(text));
    as<T>(value) = std::move(parsed);
    return {};
  };
  shape.measure = [measure](const void* value) { return measure(as<T>(value)); };
  shape.show = [](const void* value) { return to_string(as<T>(value)); };
  return shape;
}

template <class T>
Shape integer_shape() {
  Shape shape{.kind = Shape::Kind::integer, .expected = "a whole number"};
  shape.read = [](std::string_view text, void* value) -> Result<void> {
    const auto number = parse_decimal<T>(text);
    if (!number) return fail(Error::Code::invalid, "\"" + std::string(text) + "\" is not a whole number");
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
  shape.show = [](const void* value) -> std::string {
    if constexpr (requires(const T& t) { t.text(); }) {
      return std::string(as<T>(value).text());
    } else if constexpr (requires(const T& t) { to_string(t); }) {
      return std::string(to_string(as<T>(value)));
    } else {
      static_assert(Described<T>, "a parsed type needs text() or to_string()");
      return "";
    }
  };
  return shape;
}

template <class T>
Shape container_shape() {
  using Item = typename T::value_type;
  Shape shape;
  if constexpr (is_optional<T>) {
    shape.kind = Shape::Kind::optional;
    shape.item = &shape_of<Item>();
    shape.count = [](const void* value) -> size_t { return as<T>(value).has_value() ? 1 : 0; };
    shape.at = [](const void* value, size_t) -> const void* { return &*as<T>(value); };
    shape.add = [](void* value, const std::string&) -> void* { return &as<T>(value).emplace(); };
  } else if constexpr (is_vector<T>) {
    shape.kind = Shape::Kind::list;
    shape.item = &shape_of<Item>();
    shape.count = [](const void* value) { return as<T>(value).size(); };
    shape.at = [](const void* value, size_t i) -> const void* { return &as<T>(value)[i]; };
    shape.add = [](void* value, const std::string&) -> void* {
      return &as<T>(value).emplace_back();
    };
  } else {
    shape.kind = Shape::Kind::map;
    shape.item = &shape_of<typename T::mapped_type>();
    shape.count = [](const void* value) { return as<T>(value).size(); };
    shape.at = [](const void* value, size_t i) -> const void* {
      return &std::next(as<T>(value).begin(), static_cast<std::ptrdiff_t>(i))->second;
    };
    shape.key_at = [](const void* value, size_t i) {
      return std::next(as<T>(value).begin(), static_cast<std::ptrdiff_t>(i))->first;
    };
    shape.add = [](void* value, const std::string& key) -> void* { return &as<T>(value)[key]; };
  }
  return shape;
}

template <class T>
Shape make_shape() {
  using Kind = Shape::Kind;
  if constexpr (std::same_as<T, bool>) {
    return boolean_shape();
  } else if constexpr (std::same_as<T, double>) {
    return number_shape();
  } else if constexpr (std::integral<T>) {
    return integer_shape<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    return text_shape();
  } else if constexpr (std::same_as<T, Duration>) {
    return scalar<T>(Kind::duration, "a duration such as 250ms, 30s, 5m, 1h or 7d", parse_duration,
                     [](Duration d) { return static_cast<double>(d.count()); });
  } else if constexpr (std::same_as<T, ByteSize>) {
    return scalar<T>(Kind::size, "a size such as 2048B, 64KB, 10MB or 1GB", parse_byte_size,
                     [](ByteSize s) { return static_cast<double>(s.bytes); });
  } else if constexpr (std::same_as<T, Share>) {
    return scalar<T>(Kind::share, "a share such as 20% or 0.1%", parse_share,
                     [](Share s) { return s.of_one * 100; });
  } else if constexpr (std::same_as<T, Rate>) {
    return scalar<T>(Kind::rate, "a rate such as 10/s, 100/m or 50 per 1m", parse_rate,
                     [](Rate r) { return r.each_second(); });
  } else if constexpr (std::is_enum_v<T>) {
    return choice_shape<T>();
  } else if constexpr (is_optional<T> || is_vector<T> || is_map<T>) {
    return container_shape<T>();
  } else {
    Shape shape;
    if constexpr (Parsed<T>) shape = parsed_shape<T>();
    if constexpr (Described<T>) {
      shape.kind = Kind::object;
      Fields<T> fields(shape.fields, [](void* root) { return root; });
      T::describe(fields);
      shape.make = [] { return std::make_shared<T>(); };
    }
    static_assert(Parsed<T> || Described<T>, "a field's type has neither parse nor describe");
    return shape;
  }
}

}  // namespace shape_detail

template <class T>
const Shape& shape_of() {
  static const Shape shape = shape_detail::make_shape<T>();
  return shape;
}

}  // namespace spillway::plan
