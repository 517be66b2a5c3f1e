// http/vary.h: which requests one answer is for (RFC 9111 section 4.1).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/field.h"

namespace spillway::http {

// Names in Vary beyond this are no real service's: such an answer fits no other request.
inline constexpr size_t vary_names_max = 32;

// The names that an answer varies by, in lower case, sorted, each once. Nothing: "*", or more than
// vary_names_max.
std::optional<std::vector<std::string>> vary_names(const HeaderList& answer);

// Appends the request's values of these fields as one text; those of two requests are equal if the
// one is answered by what the other got. White space around commas and empty members of lists count
// for nothing (in lines without quotes), Accept-Encoding only as the set of codings that it allows.
void append_vary_key(std::span<const std::string> names, const HeaderList& request,
                     std::string& key);

}  // namespace spillway::http
