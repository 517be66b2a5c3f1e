// identity/json_scanner.h: walks over JSON text, value by value.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "identity/json.h"

namespace spillway::identity {

// Whether all of it is UTF-8 (RFC 8259 section 8.1).
bool is_utf8(std::string_view text);

// One pass over a text that is UTF-8. Every function answers false or nothing at the first thing
// that RFC 8259 does not allow, and the rest of the text is then not looked at.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  // Takes `c`, and the white space before it, if it comes next.
  bool take(char c);
  bool at_end();  // But for white space.

  // A string's content, without escapes; those are resolved into `space`.
  std::optional<std::string_view> string(JsonSpace& space);
  // Any value; arrays and objects are walked through to at most `depth` levels.
  std::optional<JsonValue> value(JsonSpace& space, size_t depth);

 private:
  void skip_space();
  std::optional<std::string_view> unescaped(const char* begin, JsonSpace& space);
  bool escape(JsonSpace& space, size_t& size);
  bool code_point(JsonSpace& space, size_t& size);
  std::optional<uint32_t> four_hex_digits();
  bool skip_string();
  bool skip_number();
  bool skip_digits();
  bool skip_literal(std::string_view literal);
  bool skip_array(size_t depth);
  bool skip_object(size_t depth);
  bool skip_value(size_t depth);

  const char* at_;
  const char* end_;
};

}  // namespace spillway::identity
