// runtime/line_output.h: a file, pipe, terminal or socket that log lines go to, never blocking.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string>

#include "base/error.h"

namespace spillway::runtime {

// Owns its descriptor. One thread at a time. A regular file may take as long as its disk does;
// anything with a reader at its other end never blocks.
class LineOutput {
 public:
  // Appends to the file, creating it with mode 0640.
  static Result<LineOutput> open_file(const std::string& path);
  // Writes to what `fd` refers to, without closing `fd` or changing its flags, which other
  // processes may share.
  static Result<LineOutput> from_descriptor(int fd);

  LineOutput(LineOutput&& other) noexcept;
  LineOutput& operator=(LineOutput&& other) noexcept;
  ~LineOutput();

  // How many bytes were taken, 1 or more; 0 if the reader is behind. `pieces` is not empty.
  Result<size_t> write(std::span<const iovec> pieces);
  int fd() const { return fd_; }

 private:
  enum class Kind : uint8_t { direct, socket, cautious };
  LineOutput(int fd, Kind kind) : fd_(fd), kind_(kind) {}
  ssize_t write_once(std::span<const iovec> pieces);

  int fd_;
  Kind kind_;
};

}  // namespace spillway::runtime
