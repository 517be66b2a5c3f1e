// identity/claims.h: what a token says of its subject, once it is believed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"
#include "identity/json.h"
#include "identity/token_fault.h"

namespace spillway::identity {

// A view of the claims of the token that was verified last. One core.
class Claims {
 public:
  explicit Claims(const JsonObject& members) : members_(&members) {}

  // A claim by its name, or by its path where no claim has that whole name: "realm_access.roles" is
  // `roles` in the object `realm_access`. Nothing if there is none, or it is null.
  std::optional<JsonValue> find(std::string_view name) const;
  // The claim if it is text of at least one character; else empty.
  std::string_view text(std::string_view name) const;

  // Whether the claim is `wanted`, or an array that has it, or, as `scope` is (RFC 8693 section
  // 4.2), text in which it is one of the words.
  bool has(std::string_view name, std::string_view wanted) const;

  // Writes the claim as the value of a header field: text and numbers as they are, the items of an
  // array with commas between them. Nothing if there is no such claim, it has an object in it, a
  // character that no field may have (RFC 9110 section 5.5), a comma within an item, or no room.
  std::optional<std::string_view> write(std::string_view name, std::span<char> out) const;

 private:
  const JsonObject* members_;
};

// A NumericDate (RFC 7519 section 2), to the nanosecond; what lies beyond the calendar of WallTime
// (the years 1677 to 2262) is its first or last moment. Nothing if it is no number.
std::optional<WallTime> parse_numeric_date(const JsonValue& value);

}  // namespace spillway::identity
