// http/structured_field.h: dictionaries of structured fields (RFC 8941), read strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::http {

// One member of a dictionary, without its parameters.
struct StructuredMember {
  enum class Kind : uint8_t { boolean, integer, decimal, string, token, bytes, inner_list };

  std::string key;
  Kind kind = Kind::boolean;
  bool is_true = false;  // Of a boolean.
  // Of an integer or decimal its digits, of a string its characters, of a token itself; else empty.
  std::string text;
};

// A dictionary in the order of RFC 8941 section 3.2: a key that is given again keeps its place and
// gets the later value. Nothing: `value` is not one, and the whole field is to be ignored (section
// 4.2). Empty: there are no members.
std::optional<std::vector<StructuredMember>> parse_structured_dictionary(std::string_view value);

}  // namespace spillway::http
