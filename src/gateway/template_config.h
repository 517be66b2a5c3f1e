// gateway/template_config.h: text of a plan with places that a request fills in: "{client_ip}".
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace spillway::gateway {

// Read once, when the plan is; a request copies what it needs. Immutable value.
struct ValueTemplate {
  enum class Place : uint8_t { path, query, host, scheme, client_ip, request_id, user, route };
  struct Part {
    std::string text;            // Goes first.
    std::optional<Place> place;  // Then this.
    bool operator==(const Part&) const = default;
  };

  std::string text;  // As written.
  std::vector<Part> parts;

  // A value of a header field: visible ASCII, spaces and tabs (RFC 9110 section 5.5). "{path}" as
  // it was matched, "{query}" with its "?" or nothing. Error: invalid, also for a brace that begins
  // nothing; "{{" is a brace.
  static Result<ValueTemplate> parse(std::string_view text);
  bool is_fixed() const { return parts.empty() || (parts.size() == 1 && !parts.front().place); }
  bool operator==(const ValueTemplate& other) const { return text == other.text; }
};
inline const std::string& to_string(const ValueTemplate& value) { return value.text; }

constexpr std::array<std::string_view, 8> enum_names(ValueTemplate::Place) {
  return {"path", "query", "host", "scheme", "client_ip", "request_id", "user", "route"};
}

}  // namespace spillway::gateway
