// plan/problem.cc: writes findings as one line each.
#include "plan/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace spillway::plan {

std::string to_string(const Place& place) {
  if (place.line == 0) return place.file;
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

std::string to_string(const Problem& problem) {
  std::string result = to_string(problem.place);
  if (!result.empty()) result += ": ";
  if (!problem.field.empty()) result += problem.field + ": ";
  return result + problem.message;
}

void sort_by_place(std::vector<Problem>& problems) {
  std::ranges::sort(problems, [](const Problem& a, const Problem& b) {
    return std::tie(a.place, a.field, a.message) < std::tie(b.place, b.field, b.message);
  });
  const auto rest = std::ranges::unique(problems);
  problems.erase(rest.begin(), rest.end());
}

std::string in_quotes(std::string_view text) {
  constexpr size_t shown_max = 80;  // Enough to recognise a value, and one line of a terminal.
  std::string result = "\"";
  for (const char c : text.substr(0, shown_max)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  result += text.size() > shown_max ? "...\"" : "\"";
  return result;
}

}  // namespace spillway::plan
