// redis/connection.h: one connection to one node, shared by all that ask it on a core.
#pragma once

#include <coroutine>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "redis/reply.h"
#include "redis/resp_parser.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::redis {

struct ConnectionLimits {
  uint32_t in_flight_max = 1000;  // Beyond it a call is refused with `overloaded`.
  size_t output_bytes_max =
      1 << 20;             // Not sent yet; beyond it likewise. One command may be longer.
  uint32_t late_max = 64;  // So many answers missed their deadlines: it is given up.
  Duration stall = 1s;     // The oldest question is this old when one misses: likewise.
  RespLimits reply;
};

// Commands are sent in the order of their calls, those of one turn of the loop together, and
// answers are matched in that order. A call that gives up leaves its place in the line, so that the
// late answer is dropped and nobody gets another's. Lives in the frame that runs it. One core.
class Connection {
 public:
  Connection(runtime::Socket socket, const ConnectionLimits& limits);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  // Until either side ends the connection: then every call under way ends with connection_closed.
  // Returns why it ended.
  runtime::Task<Error> run();
  void close(Error::Code why, std::string_view words);
  bool has_ended() const { return ended_.has_value(); }

  class Call;
  // `commands` are whole commands, the answers to the first `ignored` of which are dropped; the
  // bytes are needed until the call is awaited, at once. An error that Redis answers is a Reply.
  // Errors: overloaded (nothing was sent: retry safe), deadline_exceeded, cancelled by
  // `interruption`, which may be null, and connection_closed: the command may have been done.
  Call call(std::string_view commands, Deadline deadline, runtime::Interruption* interruption,
            uint32_t ignored = 0);

  size_t in_flight() const { return owed_.size(); }
  uint64_t late_answers() const { return late_answers_; }

 private:
  // An answer that is to come.
  struct Owed {
    Call* call = nullptr;  // Null: nobody waits for it.
    Instant asked;
    bool was_given_up = false;
  };

  std::optional<Error> refusal(size_t bytes) const;
  uint64_t join(Call* call, std::string_view commands, uint32_t ignored);
  void give_up(uint64_t number, Error::Code why);
  bool take_in(std::string_view bytes);
  bool settle_next(Reply reply);
  runtime::Task<void> read_all();
  runtime::Task<void> write_all();

  runtime::Loop& loop_;
  runtime::Socket socket_;
  const ConnectionLimits limits_;
  RespParser parser_;
  std::deque<Owed> owed_;  // In the order asked.
  uint64_t asked_ = 0;     // The number of the next to join owed_.
  uint32_t given_up_ = 0;  // Of owed_.
  uint64_t late_answers_ = 0;
  std::string output_;
  std::string sending_;
  runtime::Event has_output_;
  runtime::Gate writers_;
  std::optional<Error> ended_;
};

// Lies in the frame that awaits it.
class Connection::Call final : public runtime::Waiter,
                               public runtime::Timer,
                               public runtime::Interruptible {
 public:
  Call(Connection& connection, std::string_view commands, Deadline deadline,
       runtime::Interruption* interruption, uint32_t ignored)
      : connection_(connection),
        commands_(commands),
        deadline_(deadline),
        interruption_(interruption),
        ignored_(ignored) {}

  bool await_ready();
  void await_suspend(std::coroutine_handle<> handle);
  Result<Reply> await_resume();
  void interrupt() override { leave(Error::Code::cancelled); }

 private:
  friend class Connection;
  void on_timer(Instant) override { leave(Error::Code::deadline_exceeded); }
  void leave(Error::Code why);
  void settle(Result<Reply> outcome);

  Connection& connection_;  // May be gone once the outcome is there.
  std::string_view commands_;
  const Deadline deadline_;
  runtime::Interruption* const interruption_;
  const uint32_t ignored_;
  uint64_t number_ = 0;
  runtime::Loop* loop_ = nullptr;  // Once suspended.
  std::optional<Result<Reply>> outcome_;
};

}  // namespace spillway::redis
