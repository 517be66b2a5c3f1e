// http/head_fields.h: field lines and framing, the part that request and response heads share.
#pragma once

#include <optional>
#include <string_view>

#include "http/head_scanner.h"
#include "http/message.h"

namespace spillway::http {

// Parses field lines up to the empty line. `lines` has passed a HeadScanner: it ends in CRLF CRLF,
// or is the empty line alone. Nothing: all is well; else a violation with a request's status.
std::optional<HeadResult> parse_field_lines(std::string_view lines, size_t fields_max,
                                            HeaderList& fields);

// Whether a field may stand in trailers. Those whose names this program knows speak of the message
// or the connection as a whole, and nobody may learn of that after it (RFC 9110 section 6.5.1); a
// recipient that merged them would believe a second Host, cookie or address.
inline bool may_be_trailer(Field id) { return id == Field::other || id == Field::etag; }

// What Content-Length, Transfer-Encoding and Connection of one message say, checked by the rules
// that hold for requests and responses alike (RFC 9112 sections 6.1 to 6.3 and 9.3).
struct FramingFields {
  bool has_length = false;
  bool is_chunked = false;
  uint64_t length = 0;
  bool keep_alive = false;
  bool connection_upgrade = false;
};
std::optional<HeadResult> read_framing(const HeaderList& fields, uint8_t minor_version,
                                       FramingFields& framing);

// RFC 9110 section 10.1.1. HTTP/1.0 clients cannot wait for 100, so theirs is ignored. The framing
// is known.
std::optional<HeadResult> read_expect(RequestHead& head);

// Of a target in origin form, or the end of one in absolute form.
void split_path_and_query(std::string_view text, RequestHead& head);

// "HTTP/1.1" and "HTTP/1.0"; a higher minor version is read as 1.1 (RFC 9110 section 2.5).
std::optional<HeadResult> parse_version(std::string_view text, uint8_t& minor_version);

}  // namespace spillway::http
