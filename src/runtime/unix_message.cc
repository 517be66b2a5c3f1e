// runtime/unix_message.cc: sendmsg and recvmsg with SCM_RIGHTS.
#include "runtime/unix_message.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace spillway::runtime {
namespace {

constexpr size_t control_bytes = CMSG_SPACE(MessageSocket::descriptors_max * sizeof(int));

struct alignas(cmsghdr) ControlBuffer {
  char bytes[control_bytes];
};

void take_descriptors(msghdr& header, std::vector<FileHandle>& into) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      into.emplace_back(fd);
    }
  }
}

// A count, or a negative errno.
ssize_t receive_now(int fd, UnixMessage& message, int& flags) {
  ControlBuffer control;
  message.bytes.resize(MessageSocket::bytes_max);
  iovec part{message.bytes.data(), message.bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  const ssize_t count = ::recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
  if (count < 0) return -errno;
  take_descriptors(header, message.descriptors);
  flags = header.msg_flags;
  message.bytes.resize(static_cast<size_t>(count));
  message.bytes.shrink_to_fit();
  return count;
}

ssize_t send_now(int fd, std::string_view bytes, std::span<const int> descriptors) {
  ControlBuffer control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  const ssize_t count = ::sendmsg(fd, &header, MSG_NOSIGNAL);
  return count < 0 ? -errno : count;
}

}  // namespace

Result<std::array<FileHandle, 2>> MessageSocket::make_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
    return fail(system_error(errno, "socketpair"));
  }
  return std::array<FileHandle, 2>{FileHandle(fds[0]), FileHandle(fds[1])};
}

Result<MessageSocket> MessageSocket::adopt(Loop& loop, int fd) {
  TRY(descriptor, Descriptor::adopt(loop, fd));
  return MessageSocket(std::move(descriptor));
}

Task<Result<UnixMessage>> MessageSocket::receive(Deadline deadline) {
  while (true) {
    CO_TRY_VOID(co_await descriptor_.wait_readable(deadline));
    UnixMessage message;
    int flags = 0;
    const ssize_t count = receive_now(descriptor_.fd(), message, flags);
    if (count == -EINTR) continue;
    if (count == -EAGAIN) {
      descriptor_.clear_readable();
      continue;
    }
    if (count < 0) co_return fail(system_error(static_cast<int>(-count), "receive a message"));
    if (count == 0) co_return fail(Error::Code::connection_closed, "the other process is gone");
    if (flags & (MSG_TRUNC | MSG_CTRUNC)) {
      co_return fail(Error::Code::protocol, "a message was larger than 64 KiB or 250 descriptors");
    }
    co_return std::move(message);
  }
}

Task<Result<void>> MessageSocket::send(std::string_view bytes, std::span<const int> descriptors,
                                       Deadline deadline) {
  CHECK(!bytes.empty());
  if (bytes.size() > bytes_max || descriptors.size() > descriptors_max) {
    co_return fail(Error::Code::limit_exceeded, "a message is over 64 KiB or 250 descriptors");
  }
  while (true) {
    CO_TRY_VOID(co_await descriptor_.wait_writable(deadline));
    const ssize_t count = send_now(descriptor_.fd(), bytes, descriptors);
    if (count >= 0) co_return Result<void>{};
    if (count == -EINTR) continue;
    if (count != -EAGAIN) {
      co_return fail(system_error(static_cast<int>(-count), "send a message"));
    }
    descriptor_.clear_writable();
  }
}

}  // namespace spillway::runtime
