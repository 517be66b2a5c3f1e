// identity/json.h: a strict reader of the small JSON objects that tokens and keys are made of.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace spillway::identity {

namespace limits {
// More members than any token or key has; the table of one object is 3 KiB.
inline constexpr size_t json_members_max = 64;
// Claims nest two or three deep; each level is a call on the stack.
inline constexpr size_t json_depth_max = 16;
}  // namespace limits

// A value: a view of the text it was read from, or of the space for what had escapes.
struct JsonValue {
  enum class Kind : uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  // A string without quotes and escapes; anything else as it is written.
  std::string_view text;

  bool is_string() const { return kind == Kind::string; }
};

// Where strings with escapes are written without them: at least as large as the text. The values
// live as long as both.
using JsonSpace = std::span<char>;

// The members of one object (RFC 8259). What is inside of them is checked and left as text. Used
// for one object after another; never allocates. One core.
class JsonObject {
 public:
  struct Member {
    std::string_view name;
    JsonValue value;
  };

  // False, and then empty, unless `text` is one object and nothing else: well-formed, in UTF-8,
  // without a name that occurs twice (RFC 7515 section 4, RFC 7519 section 4), within the limits.
  bool read(std::string_view text, JsonSpace space);

  const JsonValue* find(std::string_view name) const;
  // The string of that name; empty if there is none, or it is something else.
  std::string_view string(std::string_view name) const;
  std::span<const Member> members() const { return std::span(members_).first(count_); }

 private:
  bool add(std::string_view name, JsonValue value);

  size_t count_ = 0;
  uint64_t seen_ = 0;  // A bit for each name's length and first letter: duplicates are rare.
  std::array<Member, limits::json_members_max> members_;
};

// The items of one array, under the same rules.
class JsonArray {
 public:
  bool read(std::string_view text, JsonSpace space);
  std::span<const JsonValue> items() const { return std::span(items_).first(count_); }

 private:
  size_t count_ = 0;
  std::array<JsonValue, limits::json_members_max> items_;
};

}  // namespace spillway::identity
