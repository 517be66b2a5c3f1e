// http/fuzz_support.h: what the fuzzers share: bodies decoded in pieces, heads compared.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/body_decoder.h"

namespace spillway::http {

struct DecodedBody {
  BodyEvent::Kind kind = BodyEvent::Kind::need_more;
  std::string body;
  std::string trailers;
  size_t left_over = 0;  // Bytes that belong to the next message.
  bool operator==(const DecodedBody&) const = default;
};

// Feeds `bytes` through a receive buffer, at most `piece` bytes at a time.
inline DecodedBody decode_in_pieces(const BodyFraming& framing, std::string_view bytes,
                                    size_t piece) {
  BodyDecoder decoder(framing);
  HeaderList trailers;
  DecodedBody result;
  std::string buffer;
  while (true) {
    const BodyEvent event = decoder.decode(buffer, trailers);
    CHECK(event.consumed <= buffer.size());
    CHECK(event.kind != BodyEvent::Kind::data || !event.data.empty());
    result.kind = event.kind;
    result.body += event.data;
    if (event.kind == BodyEvent::Kind::violation) {
      // How much was decoded before depends on the pieces; that it is refused does not.
      return DecodedBody{.kind = event.kind};
    }
    if (event.kind == BodyEvent::Kind::end) {
      for (const HeaderField& field : trailers) {
        result.trailers.append(field.name).append(":").append(field.value).append("\n");
      }
      result.left_over = buffer.size() - event.consumed + bytes.size();
      return result;
    }
    buffer.erase(0, event.consumed);
    if (event.kind == BodyEvent::Kind::data) continue;
    if (bytes.empty()) return result;
    buffer += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

inline void check_same_fields(const HeaderList& a, const HeaderList& b) {
  CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].id == b[i].id);
    CHECK(a[i].name == b[i].name);
    CHECK(a[i].value == b[i].value);
  }
}

}  // namespace spillway::http
