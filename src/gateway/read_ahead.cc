// gateway/read_ahead.cc: copying in, handing out, and waiting on either side.
#include "gateway/read_ahead.h"

#include <algorithm>
#include <cstring>

namespace spillway::gateway {

using runtime::BufferSize;
using runtime::Task;

runtime::Buffer& ReadAhead::space() {
  if (queue_.empty() || queue_.back().space().empty()) {
    const bool is_much = bytes_max_ - bytes_ >= runtime::bytes_in(BufferSize::large);
    queue_.push_back(loop_.buffers().borrow(is_much ? BufferSize::large : BufferSize::small));
  }
  return queue_.back();
}

Task<Result<void>> ReadAhead::put(std::string_view piece) {
  while (!piece.empty()) {
    while (bytes_ >= bytes_max_ && !is_stopped_) {
      room_.reset();
      CO_TRY_VOID(co_await room_.wait(Deadline::never()));
    }
    if (is_stopped_) co_return fail(Error::Code::cancelled, "the client is gone");
    runtime::Buffer& buffer = space();
    const size_t size = std::min({piece.size(), bytes_max_ - bytes_, buffer.space().size()});
    std::memcpy(buffer.space().data(), piece.data(), size);
    buffer.add(size);
    bytes_ += size;
    piece.remove_prefix(size);
    news_.set();
  }
  co_return Result<void>{};
}

void ReadAhead::end(Result<void> how) {
  end_ = std::move(how);
  news_.set();
}

Task<Result<std::string_view>> ReadAhead::take() {
  bytes_ -= taken_.filled().size();
  taken_.release();
  room_.set();
  while (is_empty()) {
    news_.reset();
    CO_TRY_VOID(co_await news_.wait(Deadline::never()));
  }
  if (queue_.empty()) {
    if (!*end_) co_return fail(end_->error());
    co_return std::string_view{};
  }
  taken_ = std::move(queue_.front());
  queue_.pop_front();
  co_return taken_.filled();
}

void ReadAhead::stop() {
  is_stopped_ = true;
  room_.set();
}

}  // namespace spillway::gateway
