// deploy/control_link.cc: the sending task and its queue.
#include "deploy/control_link.h"

#include <fcntl.h>

#include <utility>

namespace spillway::deploy {
namespace {

constexpr Duration send_timeout = 10s;  // A peer that reads nothing for so long is stuck.

}  // namespace

ControlLink::ControlLink(runtime::Loop& loop, runtime::MessageSocket socket)
    : loop_(loop), socket_(std::move(socket)), news_(loop), gate_(loop) {
  gate_.spawn(send_queued());
}

void ControlLink::send(std::string message, std::span<const int> descriptors) {
  if (!is_open_) return;
  if (queue_.size() >= queued_max) return give_up();
  runtime::UnixMessage queued{.bytes = std::move(message), .descriptors = {}};
  for (const int fd : descriptors) {
    queued.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!queued.descriptors.back()) return give_up();
  }
  queue_.push_back(std::move(queued));
  news_.set();
}

runtime::Task<void> ControlLink::send_queued() {
  while (is_open_) {
    if (queue_.empty()) {
      news_.reset();
      [[maybe_unused]] const auto woken = co_await news_.wait(Deadline::never());
      continue;
    }
    const runtime::UnixMessage message = std::move(queue_.front());
    queue_.pop_front();
    std::vector<int> descriptors;
    for (const auto& handle : message.descriptors) descriptors.push_back(handle.fd());
    is_sending_ = true;
    const auto sent = co_await socket_.send(message.bytes, descriptors,
                                            Deadline::after(loop_.now(), send_timeout));
    is_sending_ = false;
    if (!sent) give_up();
  }
}

void ControlLink::give_up() {
  if (!std::exchange(is_open_, false)) return;
  queue_.clear();
  news_.set();
  socket_.interrupt_reader();
  socket_.interrupt_writer();
}

runtime::Task<Result<runtime::UnixMessage>> ControlLink::receive(Deadline deadline) {
  if (!is_open_) co_return fail(Error::Code::connection_closed, "the other process is gone");
  auto message = co_await socket_.receive(deadline);
  if (!message && message.error().code != Error::Code::deadline_exceeded) give_up();
  co_return message;
}

runtime::Task<void> ControlLink::close() {
  give_up();
  [[maybe_unused]] const auto closed = co_await gate_.close(Deadline::never());
  socket_.close();
}

}  // namespace spillway::deploy
