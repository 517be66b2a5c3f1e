// http/message_writer.h: sends one message: its head, its body in the right framing, its end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/message.h"
#include "http/serializer.h"
#include "runtime/buffer_pool.h"
#include "runtime/file_handle.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// Writes a request or a response. The head waits in a buffer until there is a first piece of body,
// the end or a flush(), so that a small message is one send. Holds a buffer only from begin() to
// the first send. One core.
class MessageWriter {
 public:
  // A peer that takes no byte for `stall_max` is given up.
  MessageWriter(runtime::Socket& socket, Duration stall_max)
      : socket_(socket), stall_max_(stall_max) {}

  // Writes a head with `write(HeadWriter&)`, which is called again with a larger buffer if the
  // first was too small. `framing` says how the body is delimited from now on; `write` puts the
  // matching field lines. Error: limit_exceeded, the head is larger than 128 KiB.
  template <class Write>
  Result<void> begin(const BodyFraming& framing, Write&& write) {
    for (const auto size : {runtime::BufferSize::small, runtime::BufferSize::large}) {
      pending_ = socket_.loop().buffers().borrow(size);
      HeadWriter writer(pending_.space());
      write(writer);
      if (writer.overflowed()) continue;
      pending_.add(writer.size());
      framing_ = framing;
      left_ = framing.length;
      ended_ = framing.is_empty();
      return {};
    }
    return fail(Error::Code::limit_exceeded, "the head is longer than 128 KiB");
  }

  // Sends the next piece, and with `last` the end. More bytes than Content-Length said are a bug
  // and CHECKed; fewer are an error: protocol. Other errors: connection_closed, deadline_exceeded.
  runtime::Task<Result<void>> write(std::string_view piece, bool last);
  // The next piece from a file. REQUIRES: the length is known, and the socket speaks no TLS. Errors
  // as for write(), and protocol, if the file has become shorter.
  runtime::Task<Result<void>> write_file(const runtime::FileHandle& file, uint64_t offset,
                                         uint64_t size);
  // Sends what waits: the head of a message whose body is not there yet.
  runtime::Task<Result<void>> flush();
  // Ends the message; a chunked one with these trailers.
  runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr);

  bool has_pending() const { return static_cast<bool>(pending_); }
  bool ended() const { return ended_ && !pending_; }
  uint64_t left() const { return left_; }  // Of a body with Content-Length.
  uint64_t body_bytes() const { return body_bytes_; }
  // Nothing has been handed to the kernel yet.
  bool is_untouched() const { return is_untouched_; }

 private:
  bool append(std::string_view piece, bool last);
  bool ends_turn(size_t size);

  runtime::Socket& socket_;
  const Duration stall_max_;
  runtime::Buffer pending_;
  BodyFraming framing_;
  uint64_t left_ = 0;
  uint64_t body_bytes_ = 0;
  size_t bytes_in_turn_ = 0;  // Since the other tasks of this loop last had their turn.
  bool ended_ = false;
  bool is_untouched_ = true;
};

}  // namespace spillway::http
