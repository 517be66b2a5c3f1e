// gateway/file_names.h: from the path of a request to the name of a file, and what a name tells.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/config.h"

namespace spillway::gateway {

// Where below the route's folder `path`, normalised, leads: what follows the route's prefix,
// escapes decoded; the last part alone for a route of one path. Nothing: it can be no file of the
// folder, because a part begins with a dot (other than .well-known) and the plan does not serve
// hidden ones, or because it has a slash that is escaped.
std::optional<std::string> file_name_of(const RouteConfig& route, std::string_view path);

// Whether a part of the name between dots, hyphens and underscores is a hash of what is in the
// file: eight or more hexadecimal digits in small letters, digits and letters among them.
bool has_hash(std::string_view name);

// Whether "/a/*" or "/a" is the path, or stands for it.
bool is_among(std::string_view path, const std::vector<std::string>& patterns);

// Whether the file of that name, asked for by that path, is the same for ever.
bool never_changes(const FilesConfig& files, std::string_view path, std::string_view name);

// The last part of a name, behind its last slash.
constexpr std::string_view last_part(std::string_view name) {
  return name.substr(name.rfind('/') + 1);  // npos + 1 is 0.
}

}  // namespace spillway::gateway
