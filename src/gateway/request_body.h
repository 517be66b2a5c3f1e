// gateway/request_body.h: a request's body on its way upstream, kept while it may be sent again.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.h"
#include "http/exchange.h"
#include "runtime/buffer_pool.h"
#include "runtime/task.h"

namespace spillway::gateway {

// Reads the client's body once and gives it to each attempt from its start. What fits into
// `kept_max` bytes is kept; beyond that only the first attempt sees it. One core.
class RequestBody {
 public:
  RequestBody(http::Exchange& exchange, size_t kept_max);

  // A body of known, small length is read whole before an upstream is asked, so that a slow client
  // holds none and the request goes out in one piece. Bodies of unknown length are streamed.
  bool wants_prefetch() const {
    const http::BodyFraming& framing = exchange_.request().framing;
    return framing.kind == http::BodyFraming::Kind::length && framing.length <= kept_max_;
  }
  // Errors blame the client.
  runtime::Task<Result<void>> prefetch();

  // The whole body, if it is here: nothing more will come.
  bool is_complete() const { return exchange_.body_ended() && is_kept_; }
  std::string_view kept() const { return kept_; }
  // Whether another attempt could send everything again.
  bool is_replayable() const { return is_kept_; }

  // The piece at `position`, which it advances; empty at the end. Valid until the next call.
  runtime::Task<Result<std::string_view>> next(uint64_t& position);

 private:
  void keep(std::string_view piece);

  http::Exchange& exchange_;
  const size_t kept_max_;
  std::string_view kept_;  // In the exchange's buffer, or in buffer_.
  runtime::Buffer buffer_;
  bool is_kept_ = true;  // kept_ is everything that was read.
};

}  // namespace spillway::gateway
