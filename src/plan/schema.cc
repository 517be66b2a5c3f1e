// plan/schema.cc: writes the shape of the plan as JSON Schema.
#include "plan/schema.h"

#include <nlohmann/json.hpp>

#include "plan/bounds.h"
#include "plan/entries.h"
#include "plan/plan.h"
#include "plan/shape_of.h"

namespace spillway::plan {
namespace {

using Json = nlohmann::ordered_json;
using Kind = Shape::Kind;

// A value may come from the environment or a file; what it then is, only loading tells.
constexpr std::string_view substitution = R"(^.*\$\{[^}]+\}.*$)";

Json quantity(std::string_view pattern, std::string_view title) {
  return {{"title", title},
          {"anyOf", Json::array({{{"type", "string"}, {"pattern", pattern}},
                                 {{"$ref", "#/$defs/substitution"}}})}};
}

Json definitions() {
  Json result;
  result["substitution"] = {{"type", "string"}, {"pattern", substitution}};
  result["duration"] =
      quantity(R"(^(0|([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d))+)$)", "a duration such as 30s");
  result["duration"]["anyOf"].push_back({{"const", 0}});
  result["size"] = quantity(R"(^(0|[0-9]+(\.[0-9]+)?([KkMGT]i?)?B)$)", "a size such as 64KB");
  result["size"]["anyOf"].push_back({{"const", 0}});
  result["share"] = quantity(R"(^[0-9]+(\.[0-9]+)?%$)", "a share such as 20%");
  result["rate"] = quantity(R"(^[0-9]+(/(ns|us|ms|s|m|h|d)| per .+)$)", "a rate such as 10/s");
  return result;
}

Json reference(std::string_view name) { return {{"$ref", "#/$defs/" + std::string(name)}}; }

Json schema_of(const Shape& shape, const FieldNote& note);

Json number_schema(const Shape& shape, const FieldNote& note) {
  Json number{{"type", shape.kind == Kind::integer ? "integer" : "number"}};
  number["minimum"] = static_cast<int64_t>(note.minimum.value_or(0));
  if (note.maximum) number["maximum"] = static_cast<int64_t>(*note.maximum);
  return {{"anyOf", Json::array({number, reference("substitution")})}};
}

// The value that a field has when it is not written, in the type the schema gives it.
Json default_value(const Shape& shape, const void* value) {
  std::string text = written(shape, value);
  if (shape.kind == Kind::integer || shape.kind == Kind::boolean || shape.kind == Kind::number) {
    return Json::parse(text, nullptr, false);
  }
  return text;
}

Json object_schema(const Shape& shape) {
  Json properties = Json::object();
  Json required = Json::array();
  const std::shared_ptr<void> defaults = shape.make();
  for (const FieldShape& field : shape.fields) {
    const std::string name(field.name);
    Json property = schema_of(*field.shape, field.note);
    property["description"] = field.note.doc;
    if (field.note.required) required.push_back(name);
    const bool has_default = field.shape->is_scalar() && !field.note.required;
    const void* value = field.member(defaults.get());
    if (has_default && !written(*field.shape, value).empty()) {
      property["default"] = default_value(*field.shape, value);
    }
    properties[name] = std::move(property);
  }
  Json object{{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
  if (!required.empty()) object["required"] = required;
  if (!shape.read) return object;
  const Json short_form{{"type", Json::array({"string", "integer"})}};
  return {{"anyOf", Json::array({short_form, object})}};
}

Json schema_of(const Shape& shape, const FieldNote& note) {
  switch (shape.kind) {
    case Kind::boolean:
      return {{"anyOf", Json::array({{{"type", "boolean"}}, reference("substitution")})}};
    case Kind::integer:
    case Kind::number: return number_schema(shape, note);
    case Kind::duration: return reference("duration");
    case Kind::size: return reference("size");
    case Kind::share: return reference("share");
    case Kind::rate: return reference("rate");
    case Kind::text: return {{"type", Json::array({"string", "number", "boolean"})}};
    case Kind::custom: return {{"type", Json::array({"string", "number"})}};
    case Kind::choice: {
      Json names = Json::array();
      for (const std::string_view name : shape.choices) names.push_back(name);
      return {{"anyOf", Json::array({{{"enum", names}}, reference("substitution")})}};
    }
    case Kind::optional: {
      Json item = schema_of(*shape.item, note);
      if (shape.item->kind != Kind::object) return item;
      return {{"anyOf", Json::array({{{"const", "off"}}, std::move(item)})}};
    }
    case Kind::list: {
      Json list{{"type", "array"}, {"items", schema_of(*shape.item, note)}};
      if (!shape.takes_one) return list;
      return {{"anyOf", Json::array({schema_of(*shape.item, note), std::move(list)})}};
    }
    case Kind::map:
      return {{"type", "object"}, {"additionalProperties", schema_of(*shape.item, note)}};
    case Kind::object: return object_schema(shape);
  }
  return {};
}

}  // namespace

std::string json_schema() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Spillway plan"}};
  schema.update(object_schema(shape_of<Plan>()));
  schema.erase("required");  // A file that is included, or includes others, holds a part.
  schema["$defs"] = definitions();
  return schema.dump(2) + "\n";
}

}  // namespace spillway::plan
