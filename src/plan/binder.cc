// plan/binder.cc: walks tree and shape together.
#include "plan/binder.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "plan/bounds.h"
#include "plan/names.h"

namespace spillway::plan {
namespace {

using Kind = Shape::Kind;

// What a field takes, in words, with the best example at hand.
std::string expectation(const Shape& shape, const FieldNote& note) {
  switch (shape.kind) {
    case Kind::optional: return expectation(*shape.item, note);
    case Kind::choice: return "one of " + listed(shape.choices);
    case Kind::duration:
    case Kind::size:
    case Kind::share:
    case Kind::rate: return std::string(shape.expected);  // Has examples of its own.
    default: break;
  }
  std::string_view form = shape.expected;
  if (shape.kind == Kind::list) form = "a list";
  if (shape.kind == Kind::map) form = "names with their values";
  if (shape.kind == Kind::object) form = "fields";
  if (shape.kind == Kind::custom) form = "a value";
  return note.example.empty() ? std::string(form)
                              : fmt::format("{} such as {}", form, note.example);
}

class Binder {
 public:
  Binder(Origins& origins, std::vector<Problem>& problems)
      : origins_(origins), problems_(problems) {}

  void bind(const Node& node, const Shape& shape, void* value, const std::string& path,
            const FieldNote& note) {
    if (shape.kind == Kind::optional) {
      const bool is_off = node.is_scalar() && node.text == "off";
      if (is_off && shape.item->kind == Kind::object) return shape.clear(value);
      return bind(node, *shape.item, shape.add(value, ""), path, note);
    }
    origins_.add(path, {node.place, !node.is_substituted && !note.secret});
    if (node.kind == Node::Kind::null) return refuse(node, shape, path, note);
    switch (shape.kind) {
      case Kind::object: return object(node, shape, value, path, note);
      case Kind::list: return list(node, shape, value, path, note);
      case Kind::map: return map(node, shape, value, path, note);
      default: return scalar(node, shape, value, path, note);
    }
  }

 private:
  void report(const Place& place, const std::string& path, std::string message) {
    problems_.push_back({place, path, std::move(message)});
  }

  void refuse(const Node& node, const Shape& shape, const std::string& path,
              const FieldNote& note) {
    const std::string found =
        note.secret && node.is_scalar() ? "a value (not shown)" : described(node);
    report(node.place, path, fmt::format("found {}, expected {}", found, expectation(shape, note)));
  }

  void scalar(const Node& node, const Shape& shape, void* value, const std::string& path,
              const FieldNote& note) {
    if (!node.is_scalar()) return refuse(node, shape, path, note);
    const auto read = shape.read(node.text, value);
    const bool is_shown = !node.is_substituted && !note.secret;
    if (!read) {
      // A type's own parser explains best, but it repeats what it was given.
      const bool own_words = is_shown && shape.kind == Kind::custom;
      if (!own_words) return refuse(node, shape, path, note);
      return report(node.place, path, printable(read.error().detail));
    }
    if (const auto bound = passed_bound(shape, note, value)) {
      report(node.place, path, fmt::format("{} is {}", described_value(node, note), *bound));
    }
  }

  static std::string described_value(const Node& node, const FieldNote& note) {
    return note.secret ? "the value (not shown)" : described(node);
  }

  // An error's text may repeat what the file holds, control bytes and all.
  static std::string printable(std::string text) {
    for (char& c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || byte >= 0x7f) c = '?';
    }
    constexpr size_t shown_max = 400;  // A few lines of a terminal.
    if (text.size() > shown_max) text = "..." + text.substr(text.size() - shown_max);
    return text;
  }

  void list(const Node& node, const Shape& shape, void* value, const std::string& path,
            const FieldNote& note) {
    if (shape.takes_one && node.is_scalar()) {
      shape.clear(value);
      return bind(node, *shape.item, shape.add(value, ""), item_path(path, 0), item_note(note));
    }
    if (node.kind != Node::Kind::list) return refuse(node, shape, path, note);
    shape.clear(value);
    for (size_t i = 0; i < node.children.size(); ++i) {
      bind(node.children[i], *shape.item, shape.add(value, ""), item_path(path, i),
           item_note(note));
    }
  }

  void map(const Node& node, const Shape& shape, void* value, const std::string& path,
           const FieldNote& note) {
    if (node.kind != Node::Kind::map) return refuse(node, shape, path, note);
    shape.clear(value);
    for (const Node& child : node.children) {
      bind(child, *shape.item, shape.add(value, child.key), child_path(path, child.key),
           item_note(note));
    }
  }

  // What a list's note says of its items: its bounds and its secrecy, not its example.
  static FieldNote item_note(FieldNote note) {
    note.example = "";
    return note;
  }

  void object(const Node& node, const Shape& shape, void* value, const std::string& path,
              const FieldNote& note) {
    if (node.is_scalar() && shape.read) {
      const auto read = shape.read(node.text, value);
      if (read) return;
      const bool is_shown = !node.is_substituted && !note.secret;
      if (!is_shown) return refuse(node, shape, path, note);
      return report(node.place, path, printable(read.error().detail));
    }
    if (node.kind != Node::Kind::map) return refuse(node, shape, path, note);
    for (const Node& child : node.children) {
      const auto field =
          std::ranges::find(shape.fields, std::string_view(child.key), &FieldShape::name);
      const std::string child_name = child_path(path, child.key);
      if (field == shape.fields.end()) {
        unknown(child, shape, child_name);
      } else {
        bind(child, *field->shape, field->member(value), child_name, field->note);
      }
    }
    for (const FieldShape& field : shape.fields) {
      if (!field.note.required || node.find(field.name) != nullptr) continue;
      report(node.place, child_path(path, field.name),
             fmt::format("is missing; expected {}", expectation(*field.shape, field.note)));
    }
  }

  void unknown(const Node& child, const Shape& shape, const std::string& path) {
    std::vector<std::string_view> known;
    for (const FieldShape& field : shape.fields) known.push_back(field.name);
    const auto meant = nearest(child.key, known);
    const std::string name = in_quotes(child.key);
    report(child.key_place, path,
           meant ? fmt::format("{} is not a field here; did you mean \"{}\"?", name, *meant)
                 : fmt::format("{} is not a field of this version; known here: {}", name,
                               listed(known)));
  }

  Origins& origins_;
  std::vector<Problem>& problems_;
};

}  // namespace

Place Origins::place(std::string_view path) const {
  for (;;) {
    if (const auto found = by_path_.find(path); found != by_path_.end()) return found->second.place;
    if (path.empty()) return {};
    const size_t end = path.find_last_of(".[");
    path = end == std::string_view::npos ? std::string_view() : path.substr(0, end);
  }
}

std::string Origins::shown(const std::string& path, std::string_view value) const {
  const auto found = by_path_.find(path);
  const bool is_shown = found == by_path_.end() || found->second.is_shown;
  return is_shown ? in_quotes(value) : "a substituted value (not shown)";
}

void bind_tree(const Node& root, const Shape& shape, void* value, Origins& origins,
               std::vector<Problem>& problems) {
  Binder(origins, problems).bind(root, shape, value, "", {});
}

}  // namespace spillway::plan
