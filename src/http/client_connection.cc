// http/client_connection.cc: reading responses, and whether a connection can be used again.
#include "http/client_connection.h"

#include <string>

#include "http/list.h"
#include "http/response_parser.h"

namespace spillway::http {

using runtime::BufferSize;

namespace {

// "timeout=5, max=100" (RFC 2068 section 19.7.1.1); nothing without a timeout that can be read.
std::optional<Duration> keepalive_of(const HeaderList& fields) {
  ListReader list(fields.value(Field::keep_alive));
  std::string_view parameter;
  while (list.next(parameter)) {
    const size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!equals_ignoring_case(trimmed(parameter.substr(0, equals)), "timeout")) continue;
    const auto seconds = parse_decimal<uint32_t>(trimmed(parameter.substr(equals + 1)));
    if (seconds) return std::chrono::seconds(*seconds);
  }
  return std::nullopt;
}

}  // namespace

ClientCall::ClientCall(ClientConnection connection, ResponseHead& response,
                       const HeadLimits& limits, Duration stall_max)
    : UpstreamCall(response),
      connection_(std::move(connection)),
      limits_(limits),
      writer_(connection_.socket, stall_max),
      body_(connection_.socket, received_, Error::Blame::upstream) {
  ++connection_.requests;
}

Result<void> ClientCall::begin(const OutgoingRequest& request) {
  return writer_.begin(request.framing, [&](HeadWriter& head) {
    head.request_line(request.method, request.path, request.query, request.has_query);
    head.field("host", request.host);
    for (const HeaderField& field : request.fields) {
      if (field.id != Field::host) head.field(field);
    }
    head.field("via", request.via);
    if (!request.upgrade.empty()) {
      head.field("connection", "upgrade");
      head.field("upgrade", request.upgrade);
    } else if (request.fields.has(Field::te)) {
      head.field("connection", "te");
    }
    head.framing(request.framing);
    head.end_of_head();
  });
}

Error ClientCall::blamed(Error error) const {
  error.blame = Error::Blame::upstream;
  const bool is_gone = error.code == Error::Code::connection_closed;
  // A server may close an idle connection at any time; a request that was under way then has not
  // been looked at (RFC 9112 section 9.3.1, RFC 9110 section 9.2.2).
  if (is_gone && is_silent_ && connection_.requests > 1) error.retry = Error::Retry::if_reused;
  return error;
}

Result<void> ClientCall::make_room() {
  if (!received_) {
    // Where the last answer was long this one may be: read at once it costs one system call and one
    // acknowledgement.
    const auto size = connection_.has_long_answers ? BufferSize::large : BufferSize::small;
    received_ = connection_.socket.loop().buffers().borrow(size);
    return {};
  }
  received_.compact();
  if (!received_.space().empty()) return {};
  if (received_.capacity() == runtime::bytes_in(BufferSize::large)) {
    return fail(Error::Code::protocol, "the response head is too long", Error::Blame::upstream);
  }
  runtime::Buffer larger = connection_.socket.loop().buffers().borrow(BufferSize::large);
  const std::string_view filled = received_.filled();
  std::copy(filled.begin(), filled.end(), larger.space().begin());
  larger.add(filled.size());
  received_ = std::move(larger);
  return {};
}

runtime::Task<Result<void>> ClientCall::read_head(Method method, Deadline deadline) {
  CHECK(!has_final_head_);
  scanner_.reset();
  response_.clear();
  if (!received_) {
    auto ready = co_await connection_.socket.wait_readable(deadline);
    if (!ready) {
      co_return fail(ready.error().code, "no answer began in time", Error::Blame::upstream);
    }
  }
  while (true) {
    if (received_ && !received_.filled().empty()) {
      is_silent_ = false;
      const HeadResult result =
          parse_response_head(received_.filled(), method, limits_, scanner_, response_);
      if (result.kind == HeadResult::Kind::violation) {
        co_return fail(Error::Code::protocol, std::string(result.text), Error::Blame::upstream);
      }
      if (result.kind == HeadResult::Kind::complete) {
        received_.consume_in_place(result.consumed);
        if (!response_.is_interim()) begin_body();
        co_return Result<void>{};
      }
    }
    CO_TRY_VOID(make_room());
    auto count = co_await connection_.socket.read(received_.space(), deadline);
    if (!count) co_return fail(blamed(std::move(count).error()));
    if (*count == 0) {
      co_return fail(blamed({.code = Error::Code::connection_closed,
                             .detail = "closed before the answer's head was complete"}));
    }
    received_.add(*count);
  }
}

void ClientCall::begin_body() {
  has_final_head_ = true;
  connection_.keepalive = keepalive_of(response_.fields);
  body_.start(response_.framing);
}

ClientConnection ClientCall::take_connection() {
  connection_.has_long_answers = body_.bytes() > runtime::bytes_in(BufferSize::small);
  return std::move(connection_);
}

void ClientCall::interrupt() {
  if (!connection_.socket) return;  // Taken: the call is over.
  connection_.socket.interrupt_reader();
  connection_.socket.interrupt_writer();
}

bool ClientCall::is_reusable() const {
  return has_final_head_ && response_.status != 101 && response_.keep_alive && body_.ended() &&
         response_.framing.kind != BodyFraming::Kind::until_close && writer_.ended() &&
         body_.has_no_rest() && !connection_.socket.peer_has_ended();
}

}  // namespace spillway::http
