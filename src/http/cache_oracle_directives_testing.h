// http/cache_oracle_directives_testing.h: Cache-Control, read slowly, for the cache's oracle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/cache_oracle_dictionary_testing.h"
#include "http/cache_oracle_fields_testing.h"

namespace spillway::http::oracle {

struct Directive {
  std::string name;                 // In lower case.
  bool has_argument = false;        // Also a malformed one.
  std::optional<std::string> text;  // The argument, if it is a well-formed text.
  std::optional<int64_t> delta;     // The argument, if it is a well-formed delta-seconds.
};
using Directives = std::vector<Directive>;

// Where the quoted-string that begins there is closed; npos: never.
inline size_t closing_quote(const std::string& text, size_t opening) {
  for (size_t i = opening + 1; i < text.size(); ++i) {
    if (text[i] == '"') return i;
    if (text[i] == '\\') ++i;
  }
  return std::string::npos;
}

// The elements of one line, trimmed. Only a quoted-string directly after an element's first "="
// hides commas, and only if it is closed.
inline std::vector<std::string> elements_of(const std::string& line) {
  std::vector<std::string> elements(1);
  bool is_argument_next = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const size_t end =
        is_argument_next && line[i] == '"' ? closing_quote(line, i) : std::string::npos;
    is_argument_next = line[i] == '=' && !elements.back().contains('=');
    if (end != std::string::npos) {
      elements.back() += line.substr(i, end - i + 1);
      i = end;
    } else if (line[i] == ',') {
      elements.emplace_back();
    } else {
      elements.back() += line[i];
    }
  }
  for (std::string& element : elements) element = trim(element);
  std::erase(elements, "");
  return elements;
}

// A token or a quoted-string (RFC 9111 section 5.2), without its quotes and escapes.
inline std::optional<std::string> parse_argument(const std::string& argument) {
  if (!argument.starts_with('"')) {
    return is_token(argument) ? std::optional(argument) : std::nullopt;
  }
  if (closing_quote(argument, 0) != argument.size() - 1) return std::nullopt;
  std::string text;
  for (size_t i = 1; i + 1 < argument.size(); ++i) {
    if (argument[i] == '\\') ++i;
    text += argument[i];
  }
  return text;
}

inline Directive parse_directive(const std::string& element) {
  Directive directive;
  const size_t equals = element.find('=');
  const std::string name = element.substr(0, equals);
  directive.name = lower(trim(name));
  if (equals == std::string::npos) return directive;
  directive.has_argument = true;
  // White space after the name spoils the argument. After the "=" it does so as no token has any.
  if (!name.empty() && is_space(name.back())) return directive;
  directive.text = parse_argument(element.substr(equals + 1));
  if (directive.text) directive.delta = parse_delta(*directive.text);
  return directive;
}

inline Directives cache_control_of(const Fields& fields) {
  Directives directives;
  for (const std::string& line : lines_of(fields, "cache-control")) {
    for (const std::string& element : elements_of(line)) {
      directives.push_back(parse_directive(element));
    }
  }
  return directives;
}

// The members of a targeted field as directives (RFC 9213 section 2.1). Deltas need an Integer.
inline Directives directives_of(const Dictionary& dictionary) {
  Directives directives;
  for (const auto& [name, item] : dictionary) {
    if (item.kind == Item::Kind::boolean && item.number == 0) continue;
    Directive directive{name, item.kind != Item::Kind::boolean, std::nullopt, std::nullopt};
    if (item.kind == Item::Kind::text) directive.text = item.text;
    if (item.kind == Item::Kind::integer && item.number >= 0) {
      directive.delta = std::min(item.number, greatest_delta);
    }
    directives.push_back(directive);
  }
  return directives;
}

// The one targeted field that counts; none: Cache-Control and Expires do (RFC 9213 section 2.2).
inline std::optional<Directives> targeted_directives_of(const Fields& response) {
  for (const std::string name : {"spillway-cache-control", "cdn-cache-control"}) {
    if (!has_field(response, name)) continue;
    const auto dictionary = DictionaryReader(join(lines_of(response, name), ", ")).read();
    if (dictionary && !dictionary->empty()) return directives_of(*dictionary);
  }
  return std::nullopt;
}

inline Directives named(const Directives& directives, const std::string& name) {
  Directives found;
  for (const Directive& directive : directives) {
    if (directive.name == name) found.push_back(directive);
  }
  return found;
}

inline bool has(const Directives& directives, const std::string& name) {
  return !named(directives, name).empty();
}

// The smallest well-formed argument.
inline std::optional<int64_t> smallest(const Directives& directives, const std::string& name) {
  std::optional<int64_t> least;
  for (const Directive& directive : named(directives, name)) {
    if (directive.delta) least = std::min(least.value_or(greatest_delta), *directive.delta);
  }
  return least;
}

// max-age or s-maxage of a response. Doubt makes it stale (RFC 9111 section 4.2.1).
inline std::optional<int64_t> response_max_age(const Directives& directives,
                                               const std::string& name) {
  const Directives found = named(directives, name);
  if (found.empty()) return std::nullopt;
  for (const Directive& directive : found) {
    if (!directive.delta || directive.delta != found[0].delta) return 0;
  }
  return found[0].delta;
}

// no-cache or private of a response (RFC 9111 sections 5.2.2.4 and 5.2.2.7).
struct Reach {
  bool is_unqualified = false;
  std::set<std::string> names;  // In lower case; none if unqualified.
};

inline Reach reach_of(const Directives& directives, const std::string& name) {
  Reach reach;
  for (const Directive& directive : named(directives, name)) {
    const std::vector<std::string> names = members_of(directive.text.value_or(""));
    if (names.empty()) reach.is_unqualified = true;
    for (const std::string& listed : names) reach.names.insert(lower(listed));
  }
  if (reach.is_unqualified) reach.names.clear();
  return reach;
}

}  // namespace spillway::http::oracle
