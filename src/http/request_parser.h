// http/request_parser.h: bytes of an HTTP/1 request head in, a checked RequestHead out.
#pragma once

#include <string_view>

#include "http/head_scanner.h"
#include "http/message.h"

namespace spillway::http {

// Parses the head at the start of `received` (RFC 9112 sections 2 to 7), strictly: whatever two
// parsers might read differently is a violation. No allocation, no copy: at `complete`, the views
// in `head` point into `received`. `scanner` remembers what earlier calls looked at; reset it
// before the next request. While need_more or violation, `head` means nothing, except that after
// a violation head.method_text may serve a log line.
//
// CONNECT and TRACE are recognised, not refused: that is the caller's policy.
HeadResult parse_request_head(std::string_view received, const HeadLimits& limits,
                              HeadScanner& scanner, RequestHead& head);
// For bytes that are there at once.
HeadResult parse_request_head(std::string_view received, const HeadLimits& limits,
                              RequestHead& head);

}  // namespace spillway::http
