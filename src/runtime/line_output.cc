// runtime/line_output.cc: the four kinds of standard output, and how each is kept from blocking.
#include "runtime/line_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

namespace spillway::runtime {

Result<LineOutput> LineOutput::open_file(const std::string& path) {
  // Non-blocking for the path of a FIFO; it means nothing to a regular file.
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int fd = ::open(path.c_str(), flags, 0640);
  if (fd < 0) return fail(system_error(errno, "open " + path));
  return LineOutput(fd, Kind::direct);
}

Result<LineOutput> LineOutput::from_descriptor(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return fail(system_error(errno, "look at the log's descriptor"));
  // O_NONBLOCK belongs to the open file, not to the descriptor: setting it would change it for the
  // shell or the replicas that share it. Opening the same pipe or terminal again gives a file of
  // our own. A regular file is only duplicated, because its offset is shared on purpose.
  if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)) {
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    const int own = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) return LineOutput(own, Kind::direct);
  }
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail(system_error(errno, "duplicate the log's descriptor"));
  if (S_ISSOCK(status.st_mode)) return LineOutput(copy, Kind::socket);
  return LineOutput(copy, S_ISREG(status.st_mode) ? Kind::direct : Kind::cautious);
}

LineOutput::LineOutput(LineOutput&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), kind_(other.kind_) {}

LineOutput& LineOutput::operator=(LineOutput&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(kind_, other.kind_);
  return *this;
}

LineOutput::~LineOutput() {
  if (fd_ >= 0) ::close(fd_);
}

ssize_t LineOutput::write_once(std::span<const iovec> pieces) {
  if (kind_ == Kind::direct) {
    return ::writev(fd_, pieces.data(), static_cast<int>(pieces.size()));
  }
  if (kind_ == Kind::socket) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    return ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  // A pipe that says it is writable takes PIPE_BUF bytes without blocking (pipe(7)).
  pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) <= 0) {
    errno = EAGAIN;
    return -1;
  }
  return ::write(fd_, pieces[0].iov_base, std::min<size_t>(pieces[0].iov_len, PIPE_BUF));
}

Result<size_t> LineOutput::write(std::span<const iovec> pieces) {
  for (;;) {
    const ssize_t taken = write_once(pieces);
    if (taken >= 0) return static_cast<size_t>(taken);
    if (errno == EAGAIN) return 0;
    if (errno != EINTR) return fail(system_error(errno, "write log lines"));
  }
}

}  // namespace spillway::runtime
