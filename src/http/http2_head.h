// http/http2_head.h: fields as HPACK gives them in, a checked head out (RFC 9113 section 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/head_scanner.h"
#include "http/message.h"

struct nghttp2_rcbuf;

namespace spillway::http {

// The decoded bytes that heads and trailers point into: shared with nghttp2's table, never copied.
// One core.
class Http2Bytes {
 public:
  Http2Bytes() = default;
  Http2Bytes(const Http2Bytes&) = delete;
  Http2Bytes& operator=(const Http2Bytes&) = delete;
  ~Http2Bytes() { clear(); }

  // The bytes stay as long as this holds them.
  std::string_view hold(nghttp2_rcbuf* bytes);
  void clear();

 private:
  std::vector<nghttp2_rcbuf*> held_;
};

// Counts one field section against the limits of a head. What passes them is not kept, so that no
// compression makes a head cost more than its limit.
class Http2HeadSize {
 public:
  void reset() { *this = {}; }
  // 0, or the status of what is passed: 431, or 414 by a `:path`.
  uint16_t add(std::string_view name, std::string_view value, const HeadLimits& limits);
  size_t bytes() const { return bytes_; }  // As HTTP/1 would write them.

 private:
  size_t bytes_ = 0;
  size_t fields_ = 0;
};

// Of trailers, either way. What gRPC allows for its metadata, twice.
inline constexpr HeadLimits http2_trailer_limits{.head_bytes_max = 16 << 10};

// A request's head, field by field. nghttp2 has checked before what RFC 9113 sections 8.2 and 8.3
// ask of a single field and of the order and number of pseudo-header fields; here comes what makes
// it a request that an HTTP/1 server reads the same way. Pooled; one core.
class Http2RequestHead {
 public:
  RequestHead& head() { return head_; }
  void clear();

  void add(nghttp2_rcbuf* name, nghttp2_rcbuf* value, const HeadLimits& limits);
  // After the last field. `is_whole`: no body follows. Nothing: all is well; else why the request
  // is refused.
  std::optional<HeadResult> complete(bool is_whole);
  // So large that it is no mistake: the connection is not worth keeping.
  bool is_bomb(const HeadLimits& limits) const;

  void add_trailer(nghttp2_rcbuf* name, nghttp2_rcbuf* value);
  HeaderList* trailers() const {  // Null: none.
    return trailers_ == nullptr || trailers_->empty() ? nullptr : trailers_.get();
  }
  // Trailers passed a limit: the stream is reset, for its request has begun.
  bool are_trailers_too_large() const { return trailer_trouble_ != 0; }

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void add_cookie(std::string_view value);
  std::optional<HeadResult> read_target();
  std::optional<HeadResult> read_protocol(bool is_whole);
  std::optional<HeadResult> check_host();

  RequestHead head_;
  Http2Bytes bytes_;
  Http2HeadSize size_;
  Http2HeadSize trailer_size_;
  uint16_t trouble_ = 0;  // 414 or 431.
  uint16_t trailer_trouble_ = 0;
  std::string_view protocol_;  // Of extended CONNECT (RFC 8441 section 4).
  std::string cookie_;         // All cookie fields as one (RFC 9113 section 8.2.3).
  std::string websocket_key_;
  std::unique_ptr<HeaderList> trailers_;
};

}  // namespace spillway::http
