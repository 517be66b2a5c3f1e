// plan/problem.h: what is wrong with a plan, and where.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::plan {

// A place in a file; lines and columns count from 1. Line 0: the file as a whole.
struct Place {
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
  auto operator<=>(const Place&) const = default;
};
std::string to_string(const Place& place);  // "spillway.yaml:4:3"

// One finding. Never holds a value that came from the environment or a secret file.
struct Problem {
  Place place;
  std::string field;    // "services.api.queue.wait"; empty: the file as a whole.
  std::string message;  // What was found, what was expected, what to do.
  bool operator==(const Problem&) const = default;
};
// "spillway.yaml:4:3: services.api.queue.wait: "5" is not a duration such as ...".
std::string to_string(const Problem& problem);

// Sorted by place, duplicates dropped.
void sort_by_place(std::vector<Problem>& problems);

// `text` fit for one line of a message: control bytes and broken UTF-8 escaped, at most 80 bytes.
std::string in_quotes(std::string_view text);

}  // namespace spillway::plan
