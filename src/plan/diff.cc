// plan/diff.cc: walks two plans along their shape.
#include "plan/diff.h"

#include <utility>

#include "plan/document.h"
#include "plan/shape_of.h"

namespace spillway::plan {
namespace {

using Kind = Shape::Kind;

class Comparison {
 public:
  void compare(const Shape& shape, const void* before, const void* after, const std::string& path,
               bool restart) {
    switch (shape.kind) {
      case Kind::object: return object(shape, before, after, path, restart);
      case Kind::optional: return optional(shape, before, after, path, restart);
      case Kind::list: return list(shape, before, after, path, restart);
      case Kind::map: return map(shape, before, after, path, restart);
      default: break;
    }
    // Text of quantities may be rounded, so what bounds are compared with is compared too.
    const bool is_same = shape.show(before) == shape.show(after) &&
                         (!shape.measure || shape.measure(before) == shape.measure(after));
    if (!is_same) changes.push_back({path, Change::Kind::changed, restart});
  }

  std::vector<Change> changes;

 private:
  void object(const Shape& shape, const void* before, const void* after, const std::string& path,
              bool restart) {
    for (const FieldShape& field : shape.fields) {
      if (path.empty() && field.name == "include") continue;
      // `member` only computes an address; nothing is written through it.
      compare(*field.shape, field.member(const_cast<void*>(before)),
              field.member(const_cast<void*>(after)), child_path(path, field.name),
              restart || field.note.restart);
    }
  }

  void optional(const Shape& shape, const void* before, const void* after, const std::string& path,
                bool restart) {
    const bool was = shape.count(before) > 0;
    const bool is = shape.count(after) > 0;
    if (was && is) {
      compare(*shape.item, shape.at(before, 0), shape.at(after, 0), path, restart);
    } else if (was != is) {
      changes.push_back({path, is ? Change::Kind::added : Change::Kind::removed, restart});
    }
  }

  void list(const Shape& shape, const void* before, const void* after, const std::string& path,
            bool restart) {
    const size_t count = shape.count(before);
    if (count != shape.count(after)) {
      changes.push_back({path, Change::Kind::changed, restart});
      return;
    }
    for (size_t i = 0; i < count; ++i) {
      compare(*shape.item, shape.at(before, i), shape.at(after, i), item_path(path, i), restart);
    }
  }

  // Both in order of names, so one pass over each.
  void map(const Shape& shape, const void* before, const void* after, const std::string& path,
           bool restart) {
    size_t i = 0;
    size_t j = 0;
    while (i < shape.count(before) || j < shape.count(after)) {
      const bool has_before = i < shape.count(before);
      const bool has_after = j < shape.count(after);
      const std::string old_key = has_before ? shape.key_at(before, i) : "";
      const std::string new_key = has_after ? shape.key_at(after, j) : "";
      if (has_before && has_after && old_key == new_key) {
        compare(*shape.item, shape.at(before, i), shape.at(after, j), child_path(path, old_key),
                restart);
        ++i;
        ++j;
      } else if (has_before && (!has_after || old_key < new_key)) {
        changes.push_back({child_path(path, old_key), Change::Kind::removed, restart});
        ++i;
      } else {
        changes.push_back({child_path(path, new_key), Change::Kind::added, restart});
        ++j;
      }
    }
  }
};

}  // namespace

std::string_view to_string(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::changed: return "changed";
    case Change::Kind::added: return "added";
    case Change::Kind::removed: return "removed";
  }
  return "changed";
}

std::vector<Change> compare(const Plan& before, const Plan& after) {
  Comparison comparison;
  comparison.compare(shape_of<Plan>(), &before, &after, "", false);
  return std::move(comparison.changes);
}

}  // namespace spillway::plan
