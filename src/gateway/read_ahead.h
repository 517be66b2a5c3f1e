// gateway/read_ahead.h: what a service has sent of an answer and its client has not yet read.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "runtime/buffer_pool.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/task.h"

namespace spillway::gateway {

// A bounded queue of bytes between one coroutine that puts and one that takes. Buffers are borrowed
// as bytes come and go back as they leave. Outlives both coroutines; one core.
class ReadAhead {
 public:
  // Holds `bytes_max` bytes, the piece that is being written to the client among them.
  ReadAhead(runtime::Loop& loop, size_t bytes_max)
      : loop_(loop), bytes_max_(bytes_max), news_(loop), room_(loop) {}

  // Copies the piece in, waiting while there is no room. Error: cancelled, after stop().
  runtime::Task<Result<void>> put(std::string_view piece);
  // Nothing more will be put: the answer is complete, or why it is not.
  void end(Result<void> how);

  // The next piece, valid until the next call; empty once all is taken. The error given to end()
  // comes after the pieces before it. Waits without a deadline: the putter has one, and ends.
  runtime::Task<Result<std::string_view>> take();
  // take() would have to wait.
  bool is_empty() const { return queue_.empty() && !end_; }
  // What take() gave last was the end of a complete answer.
  bool is_last() const { return queue_.empty() && end_ && end_->has_value(); }
  // Nobody will take any more.
  void stop();

 private:
  runtime::Buffer& space();

  runtime::Loop& loop_;
  const size_t bytes_max_;
  std::deque<runtime::Buffer> queue_;  // None is empty.
  runtime::Buffer taken_;              // The piece that was given out.
  size_t bytes_ = 0;                   // In queue_ and taken_.
  std::optional<Result<void>> end_;
  bool is_stopped_ = false;
  runtime::Event news_;  // For take(): bytes, or the end.
  runtime::Event room_;  // For put().
};

}  // namespace spillway::gateway
