// runtime/file_handle.h: owns an open descriptor that no loop watches.
#pragma once

#include <unistd.h>

#include <utility>

namespace spillway::runtime {

// Closes what it holds. For descriptors on their way from one owner to another (a message, a
// child); what a coroutine waits for is a Descriptor. Movable; one thread at a time.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int fd) : fd_(fd) {}
  FileHandle(FileHandle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~FileHandle() { close(); }

  explicit operator bool() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

}  // namespace spillway::runtime
