// http/list.h: fields whose values are lists with commas (RFC 9110 section 5.6.1).
#pragma once

#include <string_view>

#include "http/field.h"

namespace spillway::http {

// Walks the elements of a comma-separated list (RFC 9110 section 5.6.1), trimmed, empty ones left
// out. For lists of tokens: a quote is nothing special, so that an unbalanced one hides nothing.
class ListReader {
 public:
  explicit ListReader(std::string_view value) : rest_(value) {}
  // False at the end.
  bool next(std::string_view& element);

 private:
  std::string_view rest_;
};

// True if the comma-separated `value` contains `token`, ignoring case: "upgrade" in
// "keep-alive, Upgrade".
bool list_has_token(std::string_view value, std::string_view token);
// The same over every field line of that name.
bool field_has_token(const HeaderList& fields, Field id, std::string_view token);

}  // namespace spillway::http
