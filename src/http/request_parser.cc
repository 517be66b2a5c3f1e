// http/request_parser.cc: request line, target forms, Host, then what the fields ask for.
#include "http/request_parser.h"

#include "http/authority.h"
#include "http/head_fields.h"
#include "http/list.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

using Trouble = std::optional<HeadResult>;  // Nothing: go on.

// Longer than any registered method; RFC 9112 section 3 asks for 501 then.
constexpr size_t method_bytes_max = 32;

HeadResult bad(std::string_view text) { return HeadResult::violation(400, text); }

size_t count_while_in(const ByteSet& set, std::string_view text) {
  size_t count = 0;
  while (count < text.size() && contains(set, text[count])) ++count;
  return count;
}

Trouble use_authority(std::string_view text, RequestHead& head, std::string_view trouble) {
  const std::optional<Authority> authority = parse_authority(text);
  if (!authority) return bad(trouble);
  head.authority = text;
  head.host = authority->host;
  head.port = authority->port;
  return std::nullopt;
}

// RFC 9112 section 3.2.2: "http://host/path". The default port is where the caller says.
Trouble parse_absolute_form(std::string_view target, RequestHead& head) {
  const size_t scheme_end = target.find("://");
  const std::string_view scheme =
      target.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) {
    return bad("request target is no path, no \"*\" and no http URL");
  }
  const std::string_view rest = target.substr(scheme_end + 3);
  const size_t authority_end = rest.find_first_of("/?");
  if (Trouble trouble = use_authority(rest.substr(0, authority_end), head,
                                      "invalid authority in the request target")) {
    return trouble;
  }
  head.is_absolute_form = true;
  split_path_and_query(authority_end == std::string_view::npos ? "" : rest.substr(authority_end),
                       head);
  // RFC 9112 section 3.2.4: OPTIONS without a path asks about the server as a whole.
  if (head.path.empty()) head.path = head.method == Method::options && !head.has_query ? "*" : "/";
  return std::nullopt;
}

Trouble parse_target(RequestHead& head) {
  if (head.method == Method::connect) {
    if (Trouble trouble = use_authority(head.target, head, "CONNECT needs host:port")) {
      return trouble;
    }
    if (head.port == 0) return bad("CONNECT needs host:port");
    return std::nullopt;
  }
  if (head.target.starts_with('/')) {
    split_path_and_query(head.target, head);
    return std::nullopt;
  }
  if (head.target == "*") {
    if (head.method != Method::options) return bad("\"*\" is a target of OPTIONS only");
    head.path = head.target;
    return std::nullopt;
  }
  return parse_absolute_form(head.target, head);
}

// method SP request-target SP HTTP-version, with single spaces (RFC 9112 section 3).
Trouble parse_request_line(std::string_view line, const HeadLimits& limits, RequestHead& head) {
  const size_t method_size = count_while_in(token_bytes, line);
  if (method_size == 0 || method_size == line.size() || line[method_size] != ' ') {
    return bad("malformed request method");
  }
  head.method_text = line.substr(0, method_size);
  head.method = method_from(head.method_text);
  if (method_size > method_bytes_max) {
    return HeadResult::violation(501, "request method too long");
  }

  line.remove_prefix(method_size + 1);
  const size_t target_size = count_while_in(target_bytes, line);
  if (target_size > limits.url_bytes_max) {
    return HeadResult::violation(414, "request target too long");
  }
  if (target_size == 0) return bad("no request target");
  if (target_size == line.size()) return bad("request line without a version");
  if (line[target_size] != ' ') return bad("invalid character in the request target");
  head.target = line.substr(0, target_size);
  if (Trouble trouble = parse_version(line.substr(target_size + 1), head.minor_version)) {
    return trouble;
  }
  return parse_target(head);
}

// RFC 9112 section 3.2: exactly one valid Host in HTTP/1.1. Section 3.2.2 lets the target's
// authority win over it; a Host that says something else is somebody playing two servers against
// each other, so it is refused.
Trouble check_host(RequestHead& head) {
  const HeaderField* field = head.fields.find(Field::host);
  if (field == nullptr) {
    if (head.minor_version == 0) return std::nullopt;
    return bad("no Host");
  }
  if (head.fields.count(Field::host) > 1) return bad("more than one Host");
  if (head.authority.empty()) return use_authority(field->value, head, "invalid Host");

  const std::optional<Authority> host = parse_authority(field->value);
  if (!host) return bad("invalid Host");
  const bool is_https =
      head.is_absolute_form && head.target.size() > 4 && to_lower(head.target[4]) == 's';
  const Authority target{.host = head.host, .port = head.port};
  if (!is_same_authority(target, *host, is_https ? 443 : 80)) {
    return bad("Host differs from the request target");
  }
  return std::nullopt;
}

void read_upgrade(bool connection_upgrade, RequestHead& head) {
  if (!connection_upgrade || head.minor_version == 0 || !head.framing.is_empty()) return;
  const HeaderField* upgrade = head.fields.find(Field::upgrade);
  if (upgrade == nullptr || upgrade->value.empty()) return;
  if (field_has_token(head.fields, Field::upgrade, "h2c")) return;
  head.wants_upgrade = true;
  head.upgrade_protocol = upgrade->value;
}

Trouble read_fields(RequestHead& head) {
  if (Trouble trouble = check_host(head)) return trouble;
  FramingFields framing;
  if (Trouble trouble = read_framing(head.fields, head.minor_version, framing)) return trouble;
  head.keep_alive = framing.keep_alive;
  if (framing.is_chunked) head.framing = {.kind = BodyFraming::Kind::chunked};
  if (framing.has_length) {
    head.framing = {.kind = BodyFraming::Kind::length, .length = framing.length};
  }
  if (Trouble trouble = read_expect(head)) return trouble;
  read_upgrade(framing.connection_upgrade, head);
  return std::nullopt;
}

}  // namespace

HeadResult parse_request_head(std::string_view received, const HeadLimits& limits,
                              HeadScanner& scanner, RequestHead& head) {
  const HeadResult scanned = scanner.scan(received, limits);
  if (scanned.kind == HeadResult::Kind::need_more) return scanned;
  head.clear();  // No view into an earlier request survives, even if this one is refused.
  if (scanned.kind == HeadResult::Kind::violation) return scanned;

  const std::string_view bytes =
      received.substr(scanner.start(), scanned.consumed - scanner.start());
  const size_t line_size = bytes.find('\r');
  if (Trouble trouble = parse_request_line(bytes.substr(0, line_size), limits, head)) {
    return *trouble;
  }
  if (Trouble trouble =
          parse_field_lines(bytes.substr(line_size + 2), limits.fields_max, head.fields)) {
    return *trouble;
  }
  if (Trouble trouble = read_fields(head)) return *trouble;
  return scanned;
}

HeadResult parse_request_head(std::string_view received, const HeadLimits& limits,
                              RequestHead& head) {
  HeadScanner scanner(HeadScanner::Of::request);
  return parse_request_head(received, limits, scanner, head);
}

}  // namespace spillway::http
