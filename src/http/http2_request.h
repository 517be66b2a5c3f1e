// http/http2_request.h: a request that came on a stream of HTTP/2.
#pragma once

#include <optional>

#include "http/head_scanner.h"
#include "http/http2_head.h"
#include "http/http2_stream.h"

namespace spillway::http {

// Pooled: it is 7 KiB, most of them room for fields. One core.
struct Http2Request final : Http2Stream {
  Http2RequestHead received;
  bool has_head = false;
  std::optional<HeadResult> refusal;  // Once the head is complete: why it is no request.

  void clear() {
    Http2Stream::clear();
    received.clear();
    has_head = false;
    refusal.reset();
  }
};

}  // namespace spillway::http
