// plan/document.h: one YAML file as a bounded tree in which every value knows its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "plan/problem.h"

namespace spillway::plan {

// Beyond what a person writes, and small enough to read in a moment. Passing one is an error.
namespace limits {
inline constexpr size_t file_bytes_max = 1 << 20;
inline constexpr size_t nodes_max = 50'000;  // Of all files of a plan, copies by alias included.
inline constexpr size_t text_bytes_max = 4 << 20;
inline constexpr size_t depth_max = 32;
inline constexpr size_t files_max = 64;
inline constexpr size_t problems_max = 100;  // More are counted, not listed.
}  // namespace limits

struct Node {
  enum class Kind : uint8_t { null, scalar, list, map };

  Kind kind = Kind::null;
  bool is_substituted = false;  // Came from the environment or a secret file: never shown.
  Place place;
  std::string text;  // Scalars.
  std::vector<Node> children;
  std::string key;  // Of this node within its map.
  Place key_place;

  const Node* find(std::string_view name) const;
  bool is_scalar() const { return kind == Kind::scalar; }
};
// "a list", "nothing"; a scalar is quoted unless it must not be shown.
std::string described(const Node& node);

// What is left of the limits while the files of one plan are read.
struct Budget {
  size_t nodes = limits::nodes_max;
  size_t text_bytes = limits::text_bytes_max;
};

// Reads one YAML document. Aliases are copied within the budget; duplicate keys, keys that are not
// names, merge keys, type tags and further documents are problems. The tree holds what could be
// read.
Node parse_document(std::string_view text, const std::string& file, Budget& budget,
                    std::vector<Problem>& problems);

// "services.api", "routes[2]".
std::string child_path(std::string_view parent, std::string_view key);
std::string item_path(std::string_view parent, size_t index);

}  // namespace spillway::plan
