// deploy/control_link.h: one end of the supervisor's socket to a server: a queue out, messages in.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "runtime/event.h"
#include "runtime/file_handle.h"
#include "runtime/gate.h"
#include "runtime/unix_message.h"

namespace spillway::deploy {

// Any number of coroutines send, one receives. Messages leave in the order given. One core; close()
// must have ended before it is destroyed.
class ControlLink {
 public:
  // Messages that wait for a peer that does not read. One that leaves so many is stuck: the link
  // is closed then, and a supervisor starts another server.
  static constexpr size_t queued_max = 4'096;

  ControlLink(runtime::Loop& loop, runtime::MessageSocket socket);

  // Never waits. The descriptors are duplicated, the caller's stay its own.
  void send(std::string message, std::span<const int> descriptors = {});
  // Errors: connection_closed, protocol, cancelled, deadline_exceeded.
  runtime::Task<Result<runtime::UnixMessage>> receive(Deadline deadline);
  // All that was sent has left us.
  bool is_flushed() const { return !is_sending_ && queue_.empty(); }
  // Ends the receive and the sending under way.
  runtime::Task<void> close();
  bool is_open() const { return is_open_; }
  int fd() const { return socket_.fd(); }

 private:
  runtime::Task<void> send_queued();
  void give_up();

  runtime::Loop& loop_;
  runtime::MessageSocket socket_;
  std::deque<runtime::UnixMessage> queue_;
  runtime::Event news_;  // Something to send, or the end.
  bool is_sending_ = false;
  bool is_open_ = true;
  runtime::Gate gate_;
};

}  // namespace spillway::deploy
