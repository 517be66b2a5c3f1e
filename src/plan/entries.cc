// plan/entries.cc: flattens the shape of the plan.
#include "plan/entries.h"

#include <fmt/format.h>

#include "plan/document.h"
#include "plan/names.h"
#include "plan/plan.h"
#include "plan/shape_of.h"

namespace spillway::plan {
namespace {

using Kind = Shape::Kind;

bool is_around(const Shape& shape) {
  return shape.kind == Kind::optional || shape.kind == Kind::list || shape.kind == Kind::map;
}

class Collector {
 public:
  // `defaults` is a value of `shape`, or null where there is none to look at.
  void collect(const std::string& path, const Shape& shape, void* defaults, bool restart) {
    std::shared_ptr<void> made;
    if (defaults == nullptr) {
      made = shape.make();
      defaults = made.get();
    }
    for (const FieldShape& field : shape.fields) {
      add(child_path(path, field.name), field, field.member(defaults), restart);
    }
  }

  std::vector<Entry> entries;

 private:
  void add(std::string path, const FieldShape& field, void* value, bool restart) {
    Entry entry{.shape = field.shape, .outer = field.shape, .note = field.note};
    entry.restart = restart || field.note.restart;
    entry.is_absent_by_default =
        field.shape->kind == Kind::optional && field.shape->count(value) == 0;
    entry.default_text = written(*field.shape, value);
    bool is_direct = true;  // Whether `value` is a value of entry.shape.
    while (is_around(*entry.shape)) {
      if (entry.shape->kind == Kind::list) path += "[]";
      if (entry.shape->kind == Kind::map) path += ".NAME";
      entry.shape = entry.shape->item;
      is_direct = false;
    }
    entry.path = path;
    const Shape* shape = entry.shape;
    const bool inherited = entry.restart;
    entries.push_back(std::move(entry));
    if (shape->kind == Kind::object) {
      collect(path, *shape, is_direct ? value : nullptr, inherited);
    }
  }
};

}  // namespace

std::vector<Entry> all_entries() {
  Collector collector;
  const Shape& plan = shape_of<Plan>();
  collector.entries.push_back({.shape = &plan, .outer = &plan, .note = {.doc = "The whole file."}});
  collector.collect("", plan, nullptr, false);
  return std::move(collector.entries);
}

std::string written(const Shape& shape, const void* value) {
  switch (shape.kind) {
    case Kind::optional:
      return shape.count(value) == 0 ? "" : written(*shape.item, shape.at(value, 0));
    case Kind::list: {
      std::string result;
      for (size_t i = 0; i < shape.count(value); ++i) {
        result += (i == 0 ? "" : ", ") + written(*shape.item, shape.at(value, i));
      }
      return result.empty() ? "" : "[" + result + "]";
    }
    case Kind::map: return "";
    case Kind::object: {
      // A list's items with a short form: the only field that has a value is the short form.
      const FieldShape& first = shape.fields.front();
      return shape.read ? written(*first.shape, first.member(const_cast<void*>(value))) : "";
    }
    default: return shape.show(value);
  }
}

std::string value_text(const Shape& shape) {
  switch (shape.kind) {
    case Kind::optional:
      return value_text(*shape.item) + (shape.item->kind == Kind::object ? ", or off" : "");
    case Kind::list:
      if (shape.takes_one) return value_text(*shape.item) + ", or a list";
      return shape.item->kind == Kind::text ? "a list of text"
                                            : "a list: " + value_text(*shape.item);
    case Kind::map: return "names with their values: " + value_text(*shape.item);
    case Kind::object: return shape.read ? "fields, or a short form" : "fields";
    case Kind::choice: return "one of " + listed(shape.choices);
    case Kind::custom: return "text of its own form";
    default: {
      const std::string_view expected = shape.expected;
      return std::string(expected.substr(0, expected.find(" such as")));
    }
  }
}

}  // namespace spillway::plan
