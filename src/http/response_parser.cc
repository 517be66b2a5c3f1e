// http/response_parser.cc: status line, fields, and how the body of this response ends.
#include "http/response_parser.h"

#include "http/head_fields.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

using Trouble = std::optional<HeadResult>;  // Nothing: go on.

HeadResult bad(std::string_view text) { return HeadResult::violation(502, text); }

// HTTP-version SP status-code SP [ reason-phrase ] (RFC 9112 section 4). The space before an empty
// reason is often left out, and nothing depends on it.
Trouble parse_status_line(std::string_view line, ResponseHead& head) {
  constexpr size_t version_size = 8;
  constexpr size_t status_end = version_size + 4;
  if (Trouble trouble = parse_version(line.substr(0, version_size), head.minor_version)) {
    return trouble;
  }
  if (line.size() < status_end || line[version_size] != ' ') return bad("malformed status line");
  const auto status = parse_decimal<uint16_t>(line.substr(version_size + 1, 3));
  if (!status || *status < 100 || *status > 599) return bad("status is not 100 to 599");
  head.status = *status;
  if (line.size() == status_end) return std::nullopt;
  if (line[status_end] != ' ') return bad("malformed status line");
  head.reason = line.substr(status_end + 1);
  return std::nullopt;
}

bool has_no_body_by_status(uint16_t status) {
  return status < 200 || status == 204 || status == 304;
}

// RFC 9112 section 6.3, in its order.
void settle_framing(Method request_method, const FramingFields& fields, ResponseHead& head) {
  head.keep_alive = fields.keep_alive;
  const bool is_tunnel = request_method == Method::connect && head.status / 100 == 2;
  if (request_method == Method::head || has_no_body_by_status(head.status) || is_tunnel) {
    // A server that announces a body where none may be might send one: do not reuse it.
    const bool announces = fields.is_chunked || fields.length > 0;
    const bool may_announce = request_method == Method::head || head.status == 304;
    if (announces && !may_announce) head.keep_alive = false;
    return;
  }
  if (fields.is_chunked) {
    head.framing = {.kind = BodyFraming::Kind::chunked};
  } else if (fields.has_length) {
    head.framing = {.kind = BodyFraming::Kind::length, .length = fields.length};
  } else {
    head.framing = {.kind = BodyFraming::Kind::until_close};
    head.keep_alive = false;
  }
}

Trouble parse_bytes(std::string_view bytes, Method request_method, const HeadLimits& limits,
                    ResponseHead& head) {
  const size_t line_size = bytes.find('\r');
  if (Trouble trouble = parse_status_line(bytes.substr(0, line_size), head)) return trouble;
  if (Trouble trouble =
          parse_field_lines(bytes.substr(line_size + 2), limits.fields_max, head.fields)) {
    return trouble;
  }
  FramingFields framing;
  if (Trouble trouble = read_framing(head.fields, head.minor_version, framing)) return trouble;
  settle_framing(request_method, framing, head);
  return std::nullopt;
}

}  // namespace

HeadResult parse_response_head(std::string_view received, Method request_method,
                               const HeadLimits& limits, HeadScanner& scanner, ResponseHead& head) {
  const HeadResult scanned = scanner.scan(received, limits);
  if (scanned.kind == HeadResult::Kind::need_more) return scanned;
  head.clear();  // No view into an earlier response survives, even if this one is refused.
  if (scanned.kind == HeadResult::Kind::violation) return scanned;

  const std::string_view bytes = received.substr(0, scanned.consumed);
  if (const Trouble trouble = parse_bytes(bytes, request_method, limits, head)) {
    return bad(trouble->text);  // The shared rules speak of requests: 400, 431 and so on.
  }
  return scanned;
}

HeadResult parse_response_head(std::string_view received, Method request_method,
                               const HeadLimits& limits, ResponseHead& head) {
  HeadScanner scanner(HeadScanner::Of::response);
  return parse_response_head(received, request_method, limits, scanner, head);
}

}  // namespace spillway::http
