// redis/connection.cc: questions in a row, answers in the same row.
#include "redis/connection.h"

#include <utility>

#include "base/check.h"

namespace spillway::redis {

using runtime::Task;

Connection::Connection(runtime::Socket socket, const ConnectionLimits& limits)
    : loop_(socket.loop()),
      socket_(std::move(socket)),
      limits_(limits),
      parser_(limits.reply),
      has_output_(loop_),
      writers_(loop_) {}

Connection::~Connection() { CHECK(owed_.empty()); }

Task<Error> Connection::run() {
  CHECK(writers_.spawn(write_all()));
  co_await read_all();
  CHECK(ended_.has_value());
  const Error lost{.code = Error::Code::connection_closed,
                   .blame = Error::Blame::upstream,
                   .detail = ended_->detail};
  for (const Owed& owed : owed_) {
    if (owed.call != nullptr) owed.call->settle(fail(lost));
  }
  owed_.clear();
  CHECK((co_await writers_.close(Deadline::never())).has_value());
  co_return *ended_;
}

void Connection::close(Error::Code why, std::string_view words) {
  if (ended_) return;
  ended_ = Error{.code = why, .blame = Error::Blame::upstream, .detail = std::string(words)};
  socket_.interrupt_reader();
  socket_.interrupt_writer();
  has_output_.set();
}

Connection::Call Connection::call(std::string_view commands, Deadline deadline,
                                  runtime::Interruption* interruption, uint32_t ignored) {
  return {*this, commands, deadline, interruption, ignored};
}

std::optional<Error> Connection::refusal(size_t bytes) const {
  if (ended_) {
    return Error{.code = Error::Code::connection_closed,
                 .blame = Error::Blame::upstream,
                 .retry = Error::Retry::safe,
                 .detail = ended_->detail};
  }
  const bool is_too_much = !output_.empty() && output_.size() + bytes > limits_.output_bytes_max;
  if (owed_.size() < limits_.in_flight_max && !is_too_much) return std::nullopt;
  return Error{.code = Error::Code::overloaded,
               .retry = Error::Retry::safe,
               .detail = "too many commands are on their way to Redis"};
}

// The number of its place in the line.
uint64_t Connection::join(Call* call, std::string_view commands, uint32_t ignored) {
  output_ += commands;
  has_output_.set();
  for (uint32_t i = 0; i < ignored; ++i) owed_.push_back({.asked = loop_.now()});
  owed_.push_back({.call = call, .asked = loop_.now()});
  asked_ += ignored + 1;
  return asked_ - 1;
}

void Connection::give_up(uint64_t number, Error::Code why) {
  if (owed_.empty()) return;  // It has ended meanwhile.
  Owed& owed = owed_[owed_.size() - (asked_ - number)];
  owed.call = nullptr;
  owed.was_given_up = true;
  ++given_up_;
  if (why != Error::Code::deadline_exceeded) return;
  const bool is_stalled = loop_.now() - owed_.front().asked >= limits_.stall;
  if (is_stalled || given_up_ >= limits_.late_max) {
    close(Error::Code::deadline_exceeded, "Redis does not answer in time");
  }
}

// False: it is over.
bool Connection::take_in(std::string_view bytes) {
  while (!bytes.empty()) {
    const RespEvent event = parser_.parse(bytes);
    bytes.remove_prefix(event.consumed);
    if (event.kind == RespEvent::Kind::need_more) return true;
    if (event.kind == RespEvent::Kind::violation) {
      close(Error::Code::protocol, event.trouble);
      return false;
    }
    if (!settle_next(parser_.take())) return false;
  }
  return true;
}

bool Connection::settle_next(Reply reply) {
  if (reply.kind == Reply::Kind::push) return true;
  if (owed_.empty()) {
    close(Error::Code::protocol, "Redis answered what nobody asked");
    return false;
  }
  const Owed owed = owed_.front();
  owed_.pop_front();
  if (owed.was_given_up) {
    --given_up_;
    ++late_answers_;
  }
  if (owed.call != nullptr) owed.call->settle(std::move(reply));
  return true;
}

Task<void> Connection::read_all() {
  while (!ended_) {
    // Without a buffer until there is something. Who asks has the deadline.
    auto is_ready = co_await socket_.wait_readable(Deadline::never());
    if (ended_) co_return;
    if (!is_ready) co_return close(is_ready.error().code, is_ready.error().detail);
    runtime::Buffer buffer = loop_.buffers().borrow(runtime::BufferSize::small);
    auto count = co_await socket_.read(buffer.space(), Deadline::never());
    if (ended_) co_return;
    if (!count) co_return close(count.error().code, count.error().detail);
    if (*count == 0) {
      co_return close(Error::Code::connection_closed, "Redis ended the connection");
    }
    buffer.add(*count);
    if (!take_in(buffer.filled())) co_return;
  }
}

Task<void> Connection::write_all() {
  while (true) {
    has_output_.reset();
    if (!ended_ && output_.empty()) {
      CHECK((co_await has_output_.wait(Deadline::never())).has_value());
    }
    if (ended_) co_return;
    std::swap(output_, sending_);
    auto written = co_await socket_.write(sending_, Deadline::after(loop_.now(), limits_.stall));
    if (!written) co_return close(written.error().code, written.error().detail);
    sending_.clear();
    // What one burst needed is not kept for good.
    if (sending_.capacity() > limits_.output_bytes_max) sending_.shrink_to_fit();
  }
}

bool Connection::Call::await_ready() {
  if (interruption_ != nullptr && interruption_->is_interrupted()) {
    outcome_ = fail(Error::Code::cancelled, "interrupted before asking Redis");
  } else if (auto refusal = connection_.refusal(commands_.size())) {
    outcome_ = fail(*std::move(refusal));
  } else if (deadline_.has_passed(connection_.loop_.now())) {
    outcome_ = fail(Error::Code::deadline_exceeded, "no time is left to ask Redis");
  }
  return outcome_.has_value();
}

void Connection::Call::await_suspend(std::coroutine_handle<> handle) {
  suspend(handle);
  loop_ = &connection_.loop_;
  number_ = connection_.join(this, commands_, ignored_);
  loop_->arm(*this, deadline_.when());
  if (interruption_ != nullptr) interruption_->waits_for(*this);
}

Result<Reply> Connection::Call::await_resume() {
  if (loop_ != nullptr) {
    loop_->disarm(*this);
    if (interruption_ != nullptr) interruption_->waits_no_more();
  }
  return *std::move(outcome_);
}

void Connection::Call::leave(Error::Code why) {
  if (outcome_) return;
  const bool is_late = why == Error::Code::deadline_exceeded;
  connection_.give_up(number_, why);
  settle(fail(why, is_late ? "Redis did not answer in time" : "interrupted while asking Redis",
              is_late ? Error::Blame::upstream : Error::Blame::us));
}

void Connection::Call::settle(Result<Reply> outcome) {
  outcome_ = std::move(outcome);
  loop_->schedule(*this);
}

}  // namespace spillway::redis
