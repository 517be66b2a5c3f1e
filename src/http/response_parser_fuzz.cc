// http/response_parser_fuzz.cc: any upstream's bytes, in any pieces, are read the same way.
//
// The first byte of an input is the size of the pieces and the request's method, the rest is what
// an upstream sends: heads one after the other, and the body of the last.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "http/fuzz_support.h"
#include "http/hop_by_hop.h"
#include "http/response_parser.h"
#include "http/serializer.h"

namespace spillway::http {
namespace {

using Kind = HeadResult::Kind;

constexpr HeadLimits limits{.head_bytes_max = 4096, .url_bytes_max = 1024, .fields_max = 40};

HeadResult parse_in_pieces(std::string_view bytes, Method method, size_t piece,
                           ResponseHead& head) {
  HeadScanner scanner(HeadScanner::Of::response);
  HeadResult result;
  for (size_t size = 0; result.kind == Kind::need_more;) {
    result = parse_response_head(bytes.substr(0, size), method, limits, scanner, head);
    if (size == bytes.size()) break;
    size = std::min(bytes.size(), size + piece);
  }
  return result;
}

void check_same_heads(const ResponseHead& a, const ResponseHead& b) {
  CHECK(a.status == b.status);
  CHECK(a.reason == b.reason);
  CHECK(a.framing == b.framing);
  CHECK(a.keep_alive == b.keep_alive);
  check_same_fields(a.fields, b.fields);
}

void check_round_trip(const ResponseHead& head, Method method) {
  if (head.minor_version == 0) return;  // Keep-alive means something else there.
  std::array<char, 2 * limits.head_bytes_max> buffer;
  HeadWriter writer(buffer);
  writer.status_line(head.status, head.reason);
  writer.fields(head.fields);
  writer.end_of_head();
  CHECK(!writer.overflowed());
  HeadLimits roomy = limits;
  roomy.head_bytes_max = buffer.size();
  ResponseHead again;
  const HeadResult result = parse_response_head(writer.written(), method, roomy, again);
  CHECK(result.kind == Kind::complete);
  check_same_heads(head, again);
}

// Our own re-framing of a body is decoded to the same body.
void check_chunked_round_trip(std::string_view body) {
  std::string framed;
  for (size_t i = 0; i < body.size(); i += 7) {
    const std::string_view piece = body.substr(i, 7);
    std::array<char, chunk_size_line_max> line;
    framed.append(line.data(), write_chunk_size(piece.size(), line));
    framed.append(piece).append(chunk_end);
  }
  framed += last_chunk;
  const auto decoded = decode_in_pieces({.kind = BodyFraming::Kind::chunked}, framed, 5);
  CHECK(decoded.kind == BodyEvent::Kind::end);
  CHECK(decoded.body == body);
}

void fuzz(std::string_view bytes, Method method, size_t piece) {
  ResponseHead head;
  ResponseHead in_pieces;
  while (true) {
    const HeadResult result = parse_response_head(bytes, method, limits, head);
    const HeadResult again = parse_in_pieces(bytes, method, piece, in_pieces);
    CHECK(result.kind == again.kind);
    if (result.kind != Kind::complete) return;
    CHECK(result.consumed == again.consumed && result.consumed > 0);
    check_same_heads(head, in_pieces);
    check_round_trip(head, method);
    bytes.remove_prefix(result.consumed);
    if (!head.is_interim()) break;
  }
  const DecodedBody body = decode_in_pieces(head.framing, bytes, piece);
  CHECK(body == decode_in_pieces(head.framing, bytes, bytes.size() + 1));
  check_chunked_round_trip(body.body);
  (void)remove_hop_by_hop(head.fields, {.content_length = true});
}

}  // namespace
}  // namespace spillway::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using spillway::http::Method;
  if (size == 0) return 0;
  const std::vector<char> bytes(data + 1, data + size);
  constexpr std::array methods{Method::get, Method::head, Method::connect, Method::post};
  spillway::http::fuzz({bytes.data(), bytes.size()}, methods[data[0] % 4], size_t{data[0]} / 4 + 1);
  return 0;
}
