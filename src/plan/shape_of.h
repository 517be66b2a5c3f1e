// plan/shape_of.h: makes the Shape of a type from its `describe`, its `parse` or its parts.
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

#include "base/error.h"
#include "base/fields.h"
#include "base/one_or_more.h"
#include "base/quantity.h"
#include "plan/shape.h"
#include "plan/shape_values.h"

namespace spillway::plan {

template <class T>
const Shape& shape_of();

namespace shape_detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_vector<OneOrMore<T>> = true;
template <class T>
inline constexpr bool takes_one = false;
template <class T>
inline constexpr bool takes_one<OneOrMore<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

template <class T>
concept Parsed = requires(std::string_view text) {
  { T::parse(text) } -> std::same_as<Result<T>>;
};

// Takes the fields of one struct, those of embedded structs among them.
class Fields {
 public:
  using Reach = std::function<void*(void*)>;
  Fields(std::vector<FieldShape>& fields, Reach reach)
      : fields_(fields), reach_(std::move(reach)) {}

  template <class Owner, class Member>
  void field(std::string_view name, Member Owner::* member, const FieldNote& note) {
    fields_.push_back({name, note, &shape_of<Member>(), to(member)});
  }
  // The fields of a member struct appear as this struct's own.
  template <class Owner, class Member>
  void embed(Member Owner::* member) {
    Fields inner(fields_, to(member));
    Member::describe(inner);
  }

 private:
  template <class Owner, class Member>
  Reach to(Member Owner::* member) const {
    return
        [reach = reach_, member](void* root) -> void* { return &(as<Owner>(reach(root)).*member); };
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

template <class T>
Shape container_shape() {
  using Item = typename T::value_type;
  Shape shape;
  if constexpr (is_optional<T>) {
    shape.kind = Shape::Kind::optional;
    shape.item = &shape_of<Item>();
    shape.count = [](const void* value) -> size_t { return as<T>(value).has_value() ? 1 : 0; };
    shape.at = [](const void* value, size_t) -> const void* { return &*as<T>(value); };
    shape.clear = [](void* value) { as<T>(value).reset(); };
    shape.add = [](void* value, const std::string&) -> void* { return &as<T>(value).emplace(); };
  } else if constexpr (is_vector<T>) {
    shape.kind = Shape::Kind::list;
    shape.takes_one = takes_one<T>;
    shape.item = &shape_of<Item>();
    shape.count = [](const void* value) { return as<T>(value).size(); };
    shape.at = [](const void* value, size_t i) -> const void* { return &as<T>(value)[i]; };
    shape.clear = [](void* value) { as<T>(value).clear(); };
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
    shape.clear = [](void* value) { as<T>(value).clear(); };
    shape.add = [](void* value, const std::string& key) -> void* { return &as<T>(value)[key]; };
  }
  return shape;
}

template <class T>
Shape make_shape() {
  if constexpr (std::same_as<T, bool>) {
    return boolean_shape();
  } else if constexpr (std::same_as<T, double>) {
    return number_shape();
  } else if constexpr (std::integral<T>) {
    return integer_shape<T>();
  } else if constexpr (std::same_as<T, std::string>) {
    return text_shape();
  } else if constexpr (std::same_as<T, Duration>) {
    return duration_shape();
  } else if constexpr (std::same_as<T, ByteSize>) {
    return size_shape();
  } else if constexpr (std::same_as<T, Share>) {
    return share_shape();
  } else if constexpr (std::same_as<T, Rate>) {
    return rate_shape();
  } else if constexpr (std::is_enum_v<T>) {
    return choice_shape<T>();
  } else if constexpr (is_optional<T> || is_vector<T> || is_map<T>) {
    return container_shape<T>();
  } else {
    Shape shape;
    if constexpr (Parsed<T>) shape = parsed_shape<T>();
    if constexpr (Described<T>) {
      shape.kind = Shape::Kind::object;
      Fields fields(shape.fields, [](void* root) { return root; });
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
