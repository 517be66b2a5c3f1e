// base/token.h: names as HTTP writes them, for what a plan or a person says.
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

}  // namespace spillway
