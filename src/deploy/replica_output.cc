// deploy/replica_output.cc: reading a pipe fairly.
#include "deploy/replica_output.h"

#include <unistd.h>

#include <cerrno>

#include "runtime/event.h"

namespace spillway::deploy {
namespace {

constexpr size_t turn_bytes_max = size_t{64} << 10;  // Then requests have their turn.
constexpr Duration turn_pause = 1ms;

}  // namespace

runtime::Task<void> ReplicaOutput::read() {
  while (!is_stopped_) {
    const auto readable = co_await pipe_.wait_readable(Deadline::never());
    if (!readable || !read_once()) break;
    if (bytes_in_turn_ >= turn_bytes_max) {
      bytes_in_turn_ = 0;
      co_await runtime::sleep(pipe_.loop(), turn_pause);
    }
  }
  lines_.finish(
      [this](std::string_view line) { observer_.endpoint_wrote(name_, is_error_, line); });
  pipe_.close();
}

bool ReplicaOutput::read_once() {
  char bytes[16'384];
  const ssize_t count = ::read(pipe_.fd(), bytes, sizeof bytes);
  if (count == 0) return false;
  if (count < 0) {
    if (errno == EAGAIN) pipe_.clear_readable();
    return errno == EAGAIN || errno == EINTR;
  }
  bytes_in_turn_ += static_cast<size_t>(count);
  lines_.add(std::string_view(bytes, static_cast<size_t>(count)),
             [this](std::string_view line) { observer_.endpoint_wrote(name_, is_error_, line); });
  return true;
}

}  // namespace spillway::deploy
