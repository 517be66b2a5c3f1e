// runtime/unix_message.h: whole messages with descriptors over a UNIX socket (SOCK_SEQPACKET).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "runtime/descriptor.h"
#include "runtime/file_handle.h"
#include "runtime/task.h"

namespace spillway::runtime {

struct UnixMessage {
  std::string bytes;
  std::vector<FileHandle> descriptors;  // Close-on-exec.
};

// One end of a connected pair. At most one send and one receive at a time. A message arrives whole
// with its descriptors or not at all (unix(7)). Movable while neither is under way. One core.
class MessageSocket {
 public:
  static constexpr size_t bytes_max = size_t{64} << 10;  // Well below the kernel's send buffer.
  static constexpr size_t descriptors_max = 250;         // The kernel's SCM_MAX_FD is 253.

  // Two connected ends, non-blocking and close-on-exec. Error: overloaded.
  static Result<std::array<FileHandle, 2>> make_pair();
  static Result<MessageSocket> adopt(Loop& loop, int fd);

  MessageSocket() = default;
  explicit operator bool() const { return static_cast<bool>(descriptor_); }
  int fd() const { return descriptor_.fd(); }

  // Errors: connection_closed (the other end is gone), protocol (too large, or descriptors lost),
  // deadline_exceeded, cancelled.
  Task<Result<UnixMessage>> receive(Deadline deadline);
  // `bytes` is not empty. The descriptors stay open here. Errors: limit_exceeded (too large),
  // connection_closed, deadline_exceeded, cancelled.
  Task<Result<void>> send(std::string_view bytes, std::span<const int> descriptors,
                          Deadline deadline);
  void interrupt_reader() { descriptor_.interrupt_reader(); }
  void interrupt_writer() { descriptor_.interrupt_writer(); }
  void close() { descriptor_.close(); }
  int release() { return descriptor_.release(); }

 private:
  explicit MessageSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  Descriptor descriptor_;
};

}  // namespace spillway::runtime
