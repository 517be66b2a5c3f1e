// http/head_fields.cc: strict parsing of field lines and of the fields that frame a message.
#include "http/head_fields.h"

#include "http/list.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

// Body sizes stay where sums of two of them cannot overflow.
constexpr uint64_t content_length_max = INT64_MAX;

HeadResult bad(std::string_view text) { return HeadResult::violation(400, text); }

// White space around these is not a matter of taste: peers disagree about it, and an attacker
// lives off the disagreement. A tab there is refused.
bool is_touchy(Field id) {
  return id == Field::host || id == Field::content_length || id == Field::transfer_encoding;
}

std::string_view why_no_name(char c) {
  switch (c) {
    case ' ': return "space in a field name or before its colon";
    case '\t': return "tab in a field name or before its colon";
    case '\r': return "field line without a colon";
    case ':': return "empty field name";
    default: return "invalid character in a field name";
  }
}

std::optional<HeadResult> read_content_length(std::string_view value, FramingFields& framing) {
  if (framing.has_length) return bad("more than one Content-Length");
  const std::optional<uint64_t> length = parse_decimal<uint64_t>(value);
  if (!length || *length > content_length_max) return bad("Content-Length is not one number");
  framing.has_length = true;
  framing.length = *length;
  return std::nullopt;
}

// Only "chunked" alone is spoken here. RFC 9112 section 6.3: a list whose last coding is not
// chunked has no known end, 400; section 6.1: other codings before it are not implemented, 501.
std::optional<HeadResult> read_transfer_encoding(std::string_view value, FramingFields& framing) {
  if (framing.is_chunked) return bad("more than one Transfer-Encoding");
  if (equals_ignoring_case(value, "chunked")) {
    framing.is_chunked = true;
    return std::nullopt;
  }
  ListReader list(value);
  std::string_view element;
  size_t chunked_count = 0;
  bool last_is_chunked = false;
  while (list.next(element)) {
    if (!is_token(element)) return bad("malformed Transfer-Encoding");
    last_is_chunked = equals_ignoring_case(element, "chunked");
    chunked_count += last_is_chunked ? 1 : 0;
  }
  if (!last_is_chunked) return bad("Transfer-Encoding does not end in chunked");
  if (chunked_count != 1 || value.ends_with(',')) return bad("malformed Transfer-Encoding");
  return HeadResult::violation(501, "transfer coding other than chunked");
}

}  // namespace

std::optional<HeadResult> parse_field_lines(std::string_view lines, size_t fields_max,
                                            HeaderList& fields) {
  const char* p = lines.data();
  const char* const end = p + lines.size() - 2;  // At the empty line.
  while (p != end) {
    const char* const name_start = p;
    while (contains(token_bytes, *p)) ++p;  // Ends at the CR of this line at the latest.
    const std::string_view name(name_start, static_cast<size_t>(p - name_start));
    if (*p != ':' || name.empty()) {
      const bool folded = name.empty() && (*p == ' ' || *p == '\t');
      return bad(folded ? "folded field line" : why_no_name(*p));
    }
    ++p;
    const char* const value_start = p;
    p = find_control(p, end);  // The CR of this line: nothing else passed the scanner.
    const std::string_view raw(value_start, static_cast<size_t>(p - value_start));
    p += 2;

    const Field id = field_from(name);
    const std::string_view value = trimmed(raw);
    if (is_touchy(id) && raw.find('\t') != std::string_view::npos) {
      return bad("tab in Host, Content-Length or Transfer-Encoding");
    }
    if (fields.size() == fields_max || !fields.add(id, name, value)) {
      return HeadResult::violation(431, "too many header fields");
    }
  }
  return std::nullopt;
}

std::optional<HeadResult> read_framing(const HeaderList& fields, uint8_t minor_version,
                                       FramingFields& framing) {
  bool close = false;
  bool keep_alive = false;
  bool has_transfer_encoding = false;
  for (const HeaderField& field : fields) {
    std::optional<HeadResult> trouble;
    switch (field.id) {
      case Field::content_length: trouble = read_content_length(field.value, framing); break;
      case Field::transfer_encoding:
        has_transfer_encoding = true;
        trouble = read_transfer_encoding(field.value, framing);
        break;
      case Field::connection:
        close = close || list_has_token(field.value, "close");
        keep_alive = keep_alive || list_has_token(field.value, "keep-alive");
        framing.connection_upgrade =
            framing.connection_upgrade || list_has_token(field.value, "upgrade");
        break;
      default: break;
    }
    if (trouble) return trouble;
  }
  if (has_transfer_encoding && framing.has_length) {
    return bad("both Content-Length and Transfer-Encoding");
  }
  if (has_transfer_encoding && minor_version == 0) return bad("Transfer-Encoding in HTTP/1.0");
  framing.keep_alive = !close && (minor_version >= 1 || keep_alive);
  return std::nullopt;
}

std::optional<HeadResult> read_expect(RequestHead& head) {
  if (!head.fields.has(Field::expect) || head.minor_version == 0) return std::nullopt;
  for (const HeaderField& field : head.fields) {
    if (field.id == Field::expect && !equals_ignoring_case(field.value, "100-continue")) {
      return HeadResult::violation(417, "unknown expectation");
    }
  }
  head.expects_continue = !head.framing.is_empty();
  return std::nullopt;
}

void split_path_and_query(std::string_view text, RequestHead& head) {
  const size_t question = text.find('?');
  head.path = text.substr(0, question);
  head.has_query = question != std::string_view::npos;
  head.query = head.has_query ? text.substr(question + 1) : std::string_view{};
}

std::optional<HeadResult> parse_version(std::string_view text, uint8_t& minor_version) {
  const bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && is_digit(text[5]) &&
                           text[6] == '.' && is_digit(text[7]);
  if (!well_formed) return bad("malformed HTTP version");
  if (text[5] != '1') return HeadResult::violation(505, "only HTTP/1.0 and HTTP/1.1 are spoken");
  minor_version = text[7] == '0' ? 0 : 1;
  return std::nullopt;
}

}  // namespace spillway::http
