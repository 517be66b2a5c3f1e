// http/request_parser_fuzz.cc: any bytes, in any pieces, are read the same way or refused.
//
// The first byte of an input is the size of the pieces, the rest is what a client sends.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "http/forwarded.h"
#include "http/fuzz_support.h"
#include "http/hop_by_hop.h"
#include "http/path.h"
#include "http/request_parser.h"
#include "http/serializer.h"
#include "http/trace_context.h"
#include "http/via.h"

namespace spillway::http {
namespace {

using Kind = HeadResult::Kind;

constexpr HeadLimits limits{.head_bytes_max = 4096, .url_bytes_max = 1024, .fields_max = 40};

HeadResult parse_in_pieces(std::string_view bytes, size_t piece, RequestHead& head) {
  HeadScanner scanner(HeadScanner::Of::request);
  HeadResult result;
  for (size_t size = 0; result.kind == Kind::need_more;) {
    result = parse_request_head(bytes.substr(0, size), limits, scanner, head);
    if (size == bytes.size()) break;
    size = std::min(bytes.size(), size + piece);
  }
  return result;
}

void check_same_heads(const RequestHead& a, const RequestHead& b) {
  CHECK(a.method_text == b.method_text);
  CHECK(a.target == b.target);
  CHECK(a.authority == b.authority);
  CHECK(a.path == b.path);
  CHECK(a.query == b.query);
  CHECK(a.framing == b.framing);
  CHECK(a.keep_alive == b.keep_alive);
  CHECK(a.expects_continue == b.expects_continue);
  CHECK(a.wants_upgrade == b.wants_upgrade);
  check_same_fields(a.fields, b.fields);
}

// What we write is read back as what was read.
void check_round_trip(const RequestHead& head) {
  if (head.minor_version == 0) return;  // We always write 1.1, which wants a Host.
  std::array<char, 2 * limits.head_bytes_max> buffer;
  HeadWriter writer(buffer);
  writer.request_line(head.method_text, head.target, "", false);
  writer.fields(head.fields);
  writer.end_of_head();
  CHECK(!writer.overflowed());
  HeadLimits roomy = limits;
  roomy.head_bytes_max = buffer.size();  // "a:b" is written as "a: b".
  RequestHead again;
  const HeadResult result = parse_request_head(writer.written(), roomy, again);
  CHECK(result.kind == Kind::complete);
  CHECK(result.consumed == writer.size());
  check_same_heads(head, again);
}

// What the proxy does with a head on its way must hold for every head that was let in.
void forward(RequestHead& head) {
  static const Via via("fuzz");
  (void)via.times_passed(head.fields);
  (void)count_parameters(head.query);
  (void)TraceContext::parse(head.fields.value(Field::traceparent));
  std::array<char, 3 * limits.url_bytes_max> path_buffer;
  if (head.method != Method::connect) {
    const auto path = normalise_path(head.path, path_buffer);
    CHECK(!path || path->starts_with('/') || *path == "*");
  }
  const std::array trusted{*IpPrefix::parse("10.0.0.0/8")};
  const ForwardedInput input{.peer = IpAddress::from_v4(0x0a000001),
                             .trusted = trusted,
                             .scheme = "http",
                             .authority = head.authority,
                             .with_forwarded = true};
  std::array<char, 2 * limits.head_bytes_max> buffer;
  ForwardedOutput output;
  CHECK(resolve_forwarded(input, head.fields, buffer, output));
  CHECK(is_field_value(output.x_forwarded_for));
  if (!remove_hop_by_hop(head.fields)) return;
  CHECK(!head.fields.has(Field::connection));
  CHECK(!head.fields.has(Field::transfer_encoding));
  CHECK(!head.fields.has(Field::content_length));
}

void fuzz(std::string_view bytes, size_t piece) {
  RequestHead head;
  RequestHead in_pieces;
  const HeadResult result = parse_request_head(bytes, limits, head);
  const HeadResult again = parse_in_pieces(bytes, piece, in_pieces);
  CHECK(result.kind == again.kind);
  if (result.kind != Kind::complete) return;
  CHECK(result.consumed == again.consumed);
  check_same_heads(head, in_pieces);
  check_round_trip(head);

  const std::string_view body = bytes.substr(result.consumed);
  CHECK(decode_in_pieces(head.framing, body, piece) ==
        decode_in_pieces(head.framing, body, body.size() + 1));
  forward(head);
}

}  // namespace
}  // namespace spillway::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // A copy of exactly this size, so that the sanitizer sees a read past the end.
  const std::vector<char> bytes(data + 1, data + size);
  spillway::http::fuzz({bytes.data(), bytes.size()}, size_t{data[0]} % 64 + 1);
  return 0;
}
