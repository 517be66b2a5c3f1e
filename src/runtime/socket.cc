// runtime/socket.cc: the system calls of a connection and when they are repeated.
#include "runtime/socket.h"

#include <cerrno>

#include "base/mutation.h"

namespace spillway::runtime {
namespace {

std::unexpected<Error> gave_up(Error::Code code, const char* doing) {
  std::string detail = code == Error::Code::cancelled ? "interrupted while " : "timed out while ";
  return fail(code, detail + doing);
}

std::unexpected<Error> tls_failure(const Watch& watch, int64_t result, std::string_view doing) {
  if (result != -EPROTO) return fail(system_error(static_cast<int>(-result), doing));
  std::string detail(doing);
  detail += ": ";
  detail += watch.tls->trouble();
  return fail(Error::Code::protocol, std::move(detail));
}

}  // namespace

Result<Socket> Socket::adopt(Loop& loop, int fd) {
  TRY(descriptor, Descriptor::adopt(loop, fd));
  return Socket(std::move(descriptor));
}

Task<Result<Socket>> Socket::connect(Loop& loop, SocketAddress to, Deadline deadline,
                                     Interruption* interruption) {
  if (interruption != nullptr && interruption->is_interrupted()) {
    co_return fail(Error::Code::cancelled, "interrupted before connecting");
  }
  const int fd = loop.driver().connect(to);
  if (fd < 0) {
    Error error = system_error(-fd, "connect to " + to_string(to));
    error.retry = Error::Retry::safe;
    co_return fail(std::move(error));
  }
  CO_TRY(socket, adopt(loop, fd));
  socket.descriptor_.clear_writable();
  const OnInterruption wait(interruption,
                            [&descriptor = socket.descriptor_] { descriptor.interrupt_writer(); });
  auto waited = co_await socket.descriptor_.wait_writable(deadline);
  if (!waited) {
    const bool is_late = waited.error().code == Error::Code::deadline_exceeded;
    co_return fail(waited.error().code,
                   "connect to " + to_string(to) + (is_late ? ": no answer in time" : ": given up"),
                   Error::Blame::upstream, Error::Retry::safe);
  }
  if (const int error = loop.driver().connect_result(fd); error != 0) {
    Error why = system_error(error, "connect to " + to_string(to));
    why.blame = Error::Blame::upstream;
    why.retry = Error::Retry::safe;
    co_return fail(std::move(why));
  }
  co_return std::move(socket);
}

void Socket::shutdown_write() {
  Watch& watch = descriptor_.watch();
  if (watch.tls != nullptr) watch.tls->end(watch);
  loop().driver().shutdown_write(descriptor_.fd());
}

void Socket::reset_on_close() {
  // Nor is it an end in TLS.
  if (descriptor_.watch().tls != nullptr) descriptor_.watch().tls->end_without_word();
  loop().driver().reset_on_close(descriptor_.fd());
}

// An idle connection on which session tickets arrive has nothing to say.
bool Socket::has_tls_news() const {
  Watch& watch = descriptor_.watch();
  if (watch.ready & (peer_ended | broken)) return true;
  return watch.has_input() && watch.tls->has_news(watch);
}

bool Socket::Handshake::attempt(Watch& watch) {
  result_ = watch.tls->handshake(watch);
  return result_ != -EAGAIN;
}

Result<void> Socket::Handshake::await_resume() {
  if (gave_up_) return gave_up(*gave_up_, "shaking hands for TLS");
  if (result_ < 0) return tls_failure(watch_, result_, "TLS handshake");
  return {};
}

// A short read has drained the socket: the next byte brings a new edge, so there is no need to ask
// the kernel again. Not so once the peer has ended: its end brings no further edge.
bool Socket::Read::attempt(Watch& watch) {
  if (watch.tls != nullptr) {
    result_ = watch.tls->read(watch, into_);
    return result_ != -EAGAIN;
  }
  if (!(watch.ready & readable)) return false;
  result_ = watch.loop.driver().receive(watch.fd, into_);
  if (result_ == -EAGAIN) {
    watch.ready &= static_cast<uint8_t>(~readable);
    return false;
  }
  // The kernel tells of a reset once. If a write was told, this is not the end of a body.
  if (result_ == 0 && watch.write_failed) result_ = -ECONNRESET;
  const bool drained = result_ > 0 && static_cast<size_t>(result_) < into_.size();
  const bool ended = (watch.ready & (peer_ended | broken)) &&
                     !mutated(Mutation::takes_short_read_for_drained_after_end);
  if (drained && !ended) {
    watch.ready &= static_cast<uint8_t>(~readable);
  }
  return true;
}

Result<size_t> Socket::Read::await_resume() {
  if (gave_up_) return gave_up(*gave_up_, "reading");
  if (result_ == -EPROTO) return tls_failure(watch_, result_, "read");
  if (result_ < 0) return fail(system_error(static_cast<int>(-result_), "read"));
  return static_cast<size_t>(result_);
}

bool Socket::Write::attempt_tls(Watch& watch) {
  const uint64_t before = watch.tls->sent();
  const int64_t result = watch.tls->write(watch, parts_);
  if (result == -EAGAIN) {
    const bool has_moved = watch.tls->sent() != before;
    if (stall_max_ && has_moved) renew(Deadline::after(watch.loop.now(), *stall_max_));
    return false;
  }
  if (result < 0) error_ = -result;
  return true;
}

bool Socket::Write::attempt(Watch& watch) {
  if (watch.tls != nullptr) return attempt_tls(watch);
  while (watch.ready & writable) {
    const int64_t sent = watch.loop.driver().send(watch.fd, parts_);
    if (sent == -EAGAIN) {
      watch.ready &= static_cast<uint8_t>(~writable);
      return false;
    }
    if (sent < 0) {
      error_ = -sent;
      watch.write_failed = true;
      return true;
    }
    if (advance(static_cast<size_t>(sent))) return true;
    if (stall_max_) renew(Deadline::after(watch.loop.now(), *stall_max_));
  }
  return false;
}

bool Socket::SendFile::attempt(Watch& watch) {
  CHECK_SLOW(watch.tls == nullptr);
  if (!(watch.ready & writable)) return false;
  result_ = watch.loop.driver().send_file(watch.fd, file_, offset_, size_);
  if (result_ == -EAGAIN) {
    watch.ready &= static_cast<uint8_t>(~writable);
    return false;
  }
  if (result_ < 0) watch.write_failed = true;
  return true;
}

Result<size_t> Socket::SendFile::await_resume() {
  if (gave_up_) return gave_up(*gave_up_, "sending a file");
  if (result_ < 0) return fail(system_error(static_cast<int>(-result_), "send a file"));
  if (result_ == 0) return fail(Error::Code::protocol, "the file has become shorter");
  return static_cast<size_t>(result_);
}

bool Socket::Write::advance(size_t sent) {
  while (!parts_.empty() && sent >= parts_.front().iov_len) {
    sent -= parts_.front().iov_len;
    parts_ = parts_.subspan(1);
  }
  if (parts_.empty()) return true;
  parts_.front().iov_base = static_cast<char*>(parts_.front().iov_base) + sent;
  parts_.front().iov_len -= sent;
  return false;
}

Result<void> Socket::Write::await_resume() {
  if (gave_up_) return gave_up(*gave_up_, "writing");
  if (error_ == EPROTO) return tls_failure(watch_, -error_, "write");
  if (error_ != 0) return fail(system_error(static_cast<int>(error_), "write"));
  return {};
}

}  // namespace spillway::runtime
