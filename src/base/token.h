// base/token.h: names, values and paths as HTTP writes them, for what a plan or a person says.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/ascii.h"

namespace spillway {

// A token (RFC 9110 section 5.6.2): what names of headers, cookies and methods are made of. The
// parsers of messages have a table for it (http/scan.h).
constexpr bool is_token(std::string_view text, size_t longest = std::string_view::npos) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    if (!is_alpha(c) && !is_digit(c) && marks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty() && text.size() <= longest;
}

// What the value of a header that we write may hold: visible ASCII, spaces and tabs. RFC 9110
// section 5.5 allows more for old messages; a line break, above all, would end the header.
constexpr bool is_field_text(std::string_view text) {
  for (const char c : text) {
    if ((c < 0x20 || c >= 0x7f) && c != '\t') return false;
  }
  return true;
}

// A path, perhaps with a query, as a request line takes it (RFC 9112 section 3.2.1).
constexpr bool is_origin_form(std::string_view text) {
  for (const char c : text) {
    if (c <= 0x20 || c >= 0x7f || c == '#') return false;
  }
  return text.starts_with('/');
}

}  // namespace spillway
