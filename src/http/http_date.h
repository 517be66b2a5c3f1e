// http/http_date.h: dates as header fields carry them (RFC 9110 section 5.6.7).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace spillway::http {

inline constexpr size_t http_date_size = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// Puts http_date_size bytes at `to`. Years 0 to 9999.
void write_http_date(std::chrono::sys_seconds time, char* to);

// The form above, which is the one that is sent; and the two that are not any more,
// "Sunday, 06-Nov-94 08:49:37 GMT" and "Sun Nov  6 08:49:37 1994". A year of two digits is one of
// 1970 to 2069. Names are taken in any case. Nothing: it is none of them.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace spillway::http
