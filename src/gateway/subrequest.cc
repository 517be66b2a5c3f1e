// gateway/subrequest.cc: an endpoint, a connection, a head, a little body.
#include "gateway/subrequest.h"

#include <memory>
#include <optional>
#include <utility>

#include "gateway/outcome.h"
#include "http/client_connection.h"

namespace spillway::gateway {

using runtime::Task;

namespace {

constexpr uint64_t body_read_max = 64 << 10;  // A longer one costs its connection.

Result<void> begin(http::ClientCall& call, const Question& question, const Lease& lease) {
  const std::string_view host =
      lease.ticket().address->is_unix() ? "localhost" : std::string_view(*lease.ticket().name);
  return call.writer().begin({}, [&](http::HeadWriter& head) {
    head.request_line("GET", question.path, {}, false);
    head.field("host", host);
    for (const http::HeaderField& field : question.fields) head.field(field);
    head.end_of_head();
  });
}

// The head is the answer: a body that breaks off, or never ends, is as if it were not there.
Task<void> read_body(http::ClientCall& call, Reply& reply, Deadline deadline) {
  uint64_t size = 0;
  while (!call.body_ended() && size <= body_read_max) {
    auto piece = co_await call.read_body(deadline);
    if (!piece) {
      reply.body.clear();
      co_return;
    }
    size += piece->size();
    if (size <= Reply::body_kept_max) reply.body += *piece;
  }
  if (size > Reply::body_kept_max) reply.body.clear();
}

Task<Result<Reply>> converse(http::ClientCall& call, const Question& question, const Lease& lease,
                             Deadline deadline) {
  CO_TRY_VOID(begin(call, question, lease));
  CO_TRY_VOID(co_await call.writer().flush());
  CO_TRY_VOID(co_await call.read_final_head(http::Method::get, deadline));
  const http::ResponseHead& head = call.response();
  Reply reply{.status = head.status};
  for (const std::string_view name : question.wanted) {
    const http::HeaderField* field = head.fields.find(name);
    reply.values.emplace_back(field == nullptr ? std::string_view() : field->value);
  }
  reply.content_type = head.fields.value(http::Field::content_type);
  co_await read_body(call, reply, deadline);
  co_return reply;
}

Task<Result<Reply>> attempt(http::ClientPool& pool, const Question& question, const Lease& lease,
                            http::ClientConnection connection, runtime::Interruption& interruption,
                            runtime::Loop& loop, Deadline deadline) {
  const auto response = std::make_unique<http::ResponseHead>();
  const http::HeadLimits limits;
  http::ClientCall call(std::move(connection), *response, limits, deadline.left(loop.now()));
  const runtime::InterruptionScope scope(&interruption, call);
  auto reply = co_await converse(call, question, lease, deadline);
  if (!reply) co_return fail(call.blamed(std::move(reply).error()));
  if (call.is_reusable()) {
    pool.give_back(*lease.ticket().address, question.service.tls(), call.take_connection(),
                   question.service.config().timeouts.keepalive);
  }
  co_return reply;
}

}  // namespace

Task<Result<Reply>> ask(runtime::Loop& loop, http::ClientPool& pool, const Question& question,
                        runtime::Interruption& interruption, Deadline deadline) {
  CO_TRY(lease, co_await question.service.acquire(
                    loop, {.now = loop.now(), .random = loop.random()}, deadline, interruption));
  const SocketAddress& address = *lease.ticket().address;
  auto connection = pool.reuse(address, question.service.tls());
  for (bool is_kept = connection.has_value();; is_kept = false) {
    if (!connection) {
      auto fresh = co_await pool.connect(address, question.service.tls(), deadline, &interruption);
      if (!fresh) {
        lease.settle(outcome_of(fresh.error()));
        co_return fail(std::move(fresh).error());
      }
      connection = std::move(*fresh);
    }
    auto reply = co_await attempt(pool, question, lease, *std::exchange(connection, std::nullopt),
                                  interruption, loop, deadline);
    if (reply) {
      lease.settle(upstream::Outcome::answered(reply->status));
      co_return reply;
    }
    const bool had_died = is_kept && reply.error().code == Error::Code::connection_closed;
    if (had_died && !interruption.is_interrupted()) continue;
    if (interruption.is_interrupted()) reply.error().code = Error::Code::cancelled;
    lease.settle(outcome_of(reply.error()));
    co_return reply;
  }
}

}  // namespace spillway::gateway
