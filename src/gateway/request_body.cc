// gateway/request_body.cc: reading once, giving again.
#include "gateway/request_body.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace spillway::gateway {

RequestBody::RequestBody(http::Exchange& exchange, size_t kept_max)
    : exchange_(exchange),
      kept_max_(std::min(kept_max, runtime::bytes_in(runtime::BufferSize::large))) {}

// The first piece lies in the exchange's own buffer, where it stays: most bodies are that one
// piece and are never copied.
void RequestBody::keep(std::string_view piece) {
  if (!is_kept_ || piece.empty()) return;
  if (kept_.size() + piece.size() > kept_max_) {
    is_kept_ = false;
    kept_ = {};
    buffer_.release();
    return;
  }
  if (kept_.empty() && exchange_.body_is_in_place()) {
    kept_ = piece;
    return;
  }
  if (!buffer_) {
    buffer_ = exchange_.loop().buffers().borrow(runtime::BufferSize::large);
    std::ranges::copy(kept_, buffer_.space().begin());  // kept_ may be empty, and so nowhere.
    buffer_.add(kept_.size());
  }
  std::memcpy(buffer_.space().data(), piece.data(), piece.size());
  buffer_.add(piece.size());
  kept_ = buffer_.filled();
}

runtime::Task<Result<void>> RequestBody::prefetch() {
  while (!exchange_.body_ended()) {
    CO_TRY(piece, co_await exchange_.read_body());
    keep(piece);
  }
  CHECK(is_kept_);
  co_return Result<void>{};
}

runtime::Task<Result<std::string_view>> RequestBody::next(uint64_t& position) {
  if (position < kept_.size()) {
    const std::string_view again = kept_.substr(position);
    position += again.size();
    co_return again;
  }
  CO_TRY(piece, co_await exchange_.read_body());
  keep(piece);
  position += piece.size();
  co_return piece;
}

}  // namespace spillway::gateway
