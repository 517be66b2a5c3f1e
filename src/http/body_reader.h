// http/body_reader.h: the body of a message as it arrives on a socket, piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/body_decoder.h"
#include "http/message.h"
#include "runtime/buffer_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// Reads one body. Its first bytes may lie in the buffer that the head came in, behind the head,
// whose views must stay valid: that buffer is only consumed, and later bytes come into a buffer of
// our own. Holds no buffer before it needs one. One core.
class BodyReader {
 public:
  // `received` starts with the body's first byte; both must outlive the reader. `blame` is who is
  // at fault when the body is malformed or ends early.
  BodyReader(runtime::Socket& socket, runtime::Buffer& received, Error::Blame blame)
      : socket_(socket), received_(received), blame_(blame) {}

  void start(const BodyFraming& framing);

  // The next piece, valid until the next call; empty once the body has ended. Errors:
  // protocol, connection_closed (ended early), deadline_exceeded, cancelled, limit_exceeded.
  runtime::Task<Result<std::string_view>> next(Deadline deadline);
  // The same without waiting: empty if nothing more has arrived, or at the end.
  Result<std::string_view> next_arrived();

  bool ended() const { return decoder_.is_done(); }
  // Of a chunked body that has ended; null if there are none. Valid until the next message is read.
  HeaderList* trailers() const {
    return trailers_ == nullptr || trailers_->empty() ? nullptr : trailers_.get();
  }
  uint64_t bytes() const { return bytes_; }
  // The last piece lies in the buffer that the head came in.
  bool is_in_place() const { return !own_; }

  // Nothing was received behind the end of the body.
  bool has_no_rest() const { return (own_ ? own_ : received_).filled().empty(); }
  // What was received behind the end of the body, moved to where the next message is looked for.
  void give_rest_to(runtime::Buffer& received);

 private:
  Result<std::string_view> decode();
  Result<void> make_room();

  runtime::Socket& socket_;
  runtime::Buffer& received_;
  runtime::Buffer own_;  // Once used, received_ is empty.
  BodyDecoder decoder_;
  std::unique_ptr<HeaderList> trailers_;  // Only for a chunked body.
  Error::Blame blame_;
  uint64_t bytes_ = 0;
  uint64_t length_ = 0;  // As announced, 0 if it was not.
};

}  // namespace spillway::http
