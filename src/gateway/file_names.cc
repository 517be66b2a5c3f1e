// gateway/file_names.cc: escapes, dots and hashes in names.
#include "gateway/file_names.h"

#include <algorithm>

#include "base/ascii.h"

namespace spillway::gateway {
namespace {

// The path was normalised, so that escapes are well formed.
std::optional<std::string> decoded(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const char byte = static_cast<char>(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
    if (byte == '/' || byte == '\0') return {};
    result += byte;
    i += 2;
  }
  return result;
}

bool has_hidden_part(std::string_view name) {
  for (std::string_view rest = name; !rest.empty();) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.starts_with('.') && part != ".well-known") return true;
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  }
  return false;
}

bool is_hash(std::string_view part) {
  constexpr size_t digits_min = 8;
  const auto is_hex_letter = [](char c) { return c >= 'a' && c <= 'f'; };
  return part.size() >= digits_min &&
         std::ranges::all_of(part, [&](char c) { return is_digit(c) || is_hex_letter(c); }) &&
         std::ranges::any_of(part, is_digit) && std::ranges::any_of(part, is_hex_letter);
}

}  // namespace

std::optional<std::string> file_name_of(const RouteConfig& route, std::string_view path) {
  const std::string_view below =
      route.path.is_prefix() ? path.substr(route.path.prefix().size()) : last_part(path);
  auto name = decoded(below);
  if (!name || (!route.files->hidden && has_hidden_part(*name))) return {};
  return name;
}

// Five groups of hexadecimal digits (RFC 9562 section 4) name a thing, not its content.
std::string_view without_uuid(std::string_view part) {
  constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  for (size_t begin = 0; begin + form.size() <= part.size(); ++begin) {
    const std::string_view text = part.substr(begin, form.size());
    if (std::ranges::equal(text, form, [](char c, char wanted) {
          return wanted == '-' ? c == '-' : hex_value(c) >= 0;
        })) {
      return part.substr(begin + form.size());
    }
  }
  return part;
}

bool has_hash(std::string_view name) {
  constexpr std::string_view separators = ".-_";
  for (std::string_view rest = without_uuid(last_part(name)); !rest.empty();) {
    const size_t end = rest.find_first_of(separators);
    if (is_hash(rest.substr(0, end))) return true;
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return false;
}

bool is_among(std::string_view path, const std::vector<std::string>& patterns) {
  return std::ranges::any_of(patterns, [&](std::string_view pattern) {
    if (!pattern.ends_with('*')) return path == pattern;
    return path.starts_with(pattern.substr(0, pattern.size() - 1));
  });
}

bool never_changes(const FilesConfig& files, std::string_view path, std::string_view name) {
  return (files.hashed && has_hash(name)) || is_among(path, files.immutable);
}

}  // namespace spillway::gateway
