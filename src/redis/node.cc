// redis/node.cc: resolve, connect, greet, serve; then once more, after a pause if that failed.
#include "redis/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "redis/command.h"

namespace spillway::redis {

using runtime::Task;

namespace {

// A connection that lived for this long was good: its end is no reason to wait.
constexpr Duration good_after = 1s;

Result<void> accepted(Result<Reply> reply) {
  if (!reply) return fail(std::move(reply).error());
  if (!reply->is_error()) return {};
  const std::string_view code = reply->error_code();
  const bool is_refusal = code == "NOAUTH" || code == "WRONGPASS" || code == "NOPERM";
  return fail(is_refusal ? Error::Code::permission : Error::Code::protocol,
              fmt::format("Redis says: {}", reply->text.substr(0, 200)), Error::Blame::upstream);
}

// Older than RESP3, or something before Redis that does not know it.
bool knows_no_hello(const Reply& reply) {
  return reply.is_error() && (reply.error_code() == "NOPROTO" || reply.error_code() == "ERR");
}

}  // namespace

Node::Node(runtime::Loop& loop, runtime::Resolver& resolver, NodeAddress address,
           const NodeOptions& options)
    : loop_(loop),
      resolver_(resolver),
      address_(std::move(address)),
      options_(options),
      changed_(loop),
      stop_(loop),
      users_(loop) {}

Task<void> Node::run() {
  while (!is_stopping_) {
    up_since_ = {};
    Error why = co_await connect_and_serve();
    const bool was_good = up_since_ != Instant{} && loop_.now() - up_since_ >= good_after;
    failures_in_a_row_ = was_good ? 0 : failures_in_a_row_ + 1;
    is_first_try_ = was_good;
    if (!is_stopping_) {
      ++failures_;
      trouble_ = std::move(why).detail;
    }
    changed_.set();
    options_.on_change();
    if (!was_good && !is_stopping_) {
      (void)co_await stop_.wait(Deadline::after(loop_.now(), pause()));
    }
  }
  CHECK((co_await users_.gone(Deadline::never())).has_value());
}

void Node::stop() {
  is_stopping_ = true;
  stop_.set();
  changed_.set();
  stopping_.interrupt();
  reconnect("we are about to end");
}

void Node::reconnect(std::string_view why) {
  if (connection_ != nullptr) connection_->close(Error::Code::connection_closed, why);
}

// Instances that lost Redis together do not come back together.
Duration Node::pause() {
  const uint32_t doublings = std::min(failures_in_a_row_ - 1, 16U);
  const Duration whole = std::min(options_.pause * (1 << doublings), options_.pause_max);
  const auto half = static_cast<uint64_t>(whole.count() / 2);
  return whole - Duration(static_cast<int64_t>(loop_.random().below(half + 1)));
}

Task<Error> Node::connect_and_serve() {
  const Deadline deadline = Deadline::after(loop_.now(), options_.connect_timeout);
  auto socket = co_await connect(deadline);
  if (!socket) co_return std::move(socket).error();
  Connection connection(std::move(*socket), options_.limits);
  runtime::Gate serving(loop_);
  Error ended;
  CHECK(serving.spawn(serve(connection, ended)));
  auto greeted = co_await greet(connection, deadline);
  if (greeted && !is_stopping_ && !connection.has_ended()) {
    connection_ = &connection;
    up_since_ = loop_.now();
    is_first_try_ = false;
    trouble_.clear();
    changed_.set();
    options_.on_change();
  } else {
    connection.close(Error::Code::cancelled, "not greeted");
  }
  CHECK((co_await serving.close(Deadline::never())).has_value());
  if (!greeted) co_return std::move(greeted).error();
  co_return ended;
}

Task<void> Node::serve(Connection& connection, Error& ended) {
  ended = co_await connection.run();
  connection_ = nullptr;
}

Task<Result<runtime::Socket>> Node::connect(Deadline deadline) {
  CO_TRY(addresses, co_await resolver_.resolve(loop_, address_.host, deadline));
  Result<runtime::Socket> socket = fail(Error::Code::not_found, "no address");
  for (const IpAddress& ip : addresses) {
    socket = co_await runtime::Socket::connect(loop_, {.ip = ip, .port = address_.port}, deadline,
                                               &stopping_);
    if (socket) break;
  }
  co_return socket;
}

Task<Result<void>> Node::greet(Connection& connection, Deadline deadline) {
  const std::string user = options_.user.empty() ? "default" : options_.user;
  std::string hello = options_.password.empty()
                          ? command({"HELLO", "3", "SETNAME", options_.client_name})
                          : command({"HELLO", "3", "AUTH", user, options_.password, "SETNAME",
                                     options_.client_name});
  CO_TRY(answer, co_await connection.call(hello, deadline, &stopping_));
  if (knows_no_hello(answer)) {
    if (!options_.password.empty()) {
      const std::string auth = options_.user.empty()
                                   ? command({"AUTH", options_.password})
                                   : command({"AUTH", options_.user, options_.password});
      CO_TRY_VOID(accepted(co_await connection.call(auth, deadline, &stopping_)));
    }
    // Its name is a courtesy to whoever looks at CLIENT LIST.
    const std::string name = command({"CLIENT", "SETNAME", options_.client_name});
    CO_TRY_VOID(co_await connection.call(name, deadline, &stopping_));
  } else {
    CO_TRY_VOID(accepted(std::move(answer)));
  }
  if (options_.database != 0) {
    const std::string select = command({"SELECT", fmt::format("{}", options_.database)});
    CO_TRY_VOID(accepted(co_await connection.call(select, deadline, &stopping_)));
  }
  // Without a password that it wants, or while it loads, it greets but does nothing.
  const std::string ping = command({"PING"});
  auto pong = co_await connection.call(ping, deadline, &stopping_);
  if (pong && pong->error_code() == "NOPERM") co_return Result<void>{};  // It may do other things.
  co_return accepted(std::move(pong));
}

Task<Result<Reply>> Node::call(std::string_view commands, Deadline deadline,
                               runtime::Interruption* interruption, uint32_t ignored) {
  const runtime::Use use(users_);
  if (connection_ == nullptr) CO_TRY_VOID(co_await wait_until_up(deadline, interruption));
  co_return co_await connection_->call(commands, deadline, interruption, ignored);
}

Task<Result<void>> Node::wait_until_up(Deadline deadline, runtime::Interruption* interruption) {
  while (connection_ == nullptr) {
    if (!is_first_try_ || is_stopping_) {
      co_return fail(Error::Code::connection_refused,
                     fmt::format("Redis at {} is away: {}", to_string(address_), trouble_),
                     Error::Blame::upstream, Error::Retry::safe);
    }
    changed_.reset();
    const runtime::OnInterruption wake(interruption, [this] { changed_.set(); });
    auto changed = co_await changed_.wait(deadline);
    if (interruption != nullptr && interruption->is_interrupted()) {
      co_return fail(Error::Code::cancelled, "interrupted while Redis was connected to");
    }
    if (!changed) {
      co_return fail(Error::Code::deadline_exceeded, "Redis was not connected to in time",
                     Error::Blame::upstream, Error::Retry::safe);
    }
  }
  co_return Result<void>{};
}

}  // namespace spillway::redis
