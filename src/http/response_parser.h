// http/response_parser.h: bytes of an HTTP/1 response head in, a checked ResponseHead out.
#pragma once

#include <string_view>

#include "http/head_scanner.h"
#include "http/message.h"

namespace spillway::http {

// Parses the head at the start of `received`, as strictly as a request's. `request_method` is what
// was asked: responses to HEAD and to a successful CONNECT have no body (RFC 9112 section 6.3), nor
// have 1xx, 204 and 304. Interim heads (head.is_interim()) come out one by one: reset the scanner
// and call again with what follows. Every violation has status 502.
HeadResult parse_response_head(std::string_view received, Method request_method,
                               const HeadLimits& limits, HeadScanner& scanner, ResponseHead& head);
// For bytes that are there at once.
HeadResult parse_response_head(std::string_view received, Method request_method,
                               const HeadLimits& limits, ResponseHead& head);

}  // namespace spillway::http
