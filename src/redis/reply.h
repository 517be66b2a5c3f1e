// redis/reply.h: what Redis answers, as a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::redis {

// One answer of RESP2 or RESP3, whole. Both nulls of RESP2 are `null`, a bulk error is an `error`,
// and attributes are dropped.
struct Reply {
  enum class Kind : uint8_t {
    null,
    status,  // A simple string: "OK".
    error,
    integer,
    string,
    boolean,
    number,
    big_number,  // Its digits, in `text`.
    verbatim,    // Without its format.
    array,
    map,
    set,
    push,  // Out of band: no answer to a command.
  };

  Kind kind = Kind::null;
  int64_t integer = 0;       // Of a boolean 1 or 0.
  double number = 0;         // Of a number.
  std::string text;          // Of all that are text.
  std::vector<Reply> items;  // Of arrays, sets and pushes; of a map key, value, key, value.

  bool is_error() const { return kind == Kind::error; }
  bool is_text() const { return kind == Kind::string || kind == Kind::verbatim; }
  bool is_aggregate() const { return kind >= Kind::array; }
  // "MOVED" of "MOVED 3999 10.0.0.1:6381". Empty unless an error.
  std::string_view error_code() const {
    return is_error() ? std::string_view(text).substr(0, text.find(' ')) : std::string_view();
  }
};

}  // namespace spillway::redis
