// base/json_text.h: text of any origin as a JSON string (RFC 8259 section 7).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace spillway {

// How many bytes the well-formed UTF-8 sequence at the start of `text` has, 1 to 4; 0 if there is
// none (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t utf8_sequence_length(std::string_view text);

// What escape_json did: bytes taken from the text and bytes put out.
struct JsonEscaped {
  size_t read = 0;
  size_t written = 0;
};

// Writes the inside of a JSON string, without the quotes and without allocating. Stops before the
// first character that does not fit whole. Quotes, backslashes and controls are escaped, DEL and
// the C1 controls too, so that a log line cannot drive a terminal; each byte that is not UTF-8
// becomes \ufffd. A byte becomes at most six.
JsonEscaped escape_json(std::string_view text, std::span<char> out);

// Appends `text` with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace spillway
