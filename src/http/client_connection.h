// http/client_connection.h: one request to an upstream on a connection, and its response.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "http/body_reader.h"
#include "http/head_scanner.h"
#include "http/message.h"
#include "http/message_writer.h"
#include "runtime/buffer_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// A connection to an upstream, kept alive between requests. Holds no buffer while idle. One core.
struct ClientConnection {
  runtime::Socket socket;
  uint64_t requests = 0;              // Sent so far.
  std::optional<Duration> keepalive;  // How long the upstream said it waits (Keep-Alive: timeout).
  Instant idle_until{};               // While idle in a pool.
  bool has_long_answers = false;      // The last one did not fit into a small buffer.
};

// One request and response on a connection that this owns meanwhile. The response's views are
// valid until the call object is destroyed or read_head is called again. Sending and receiving may
// be under way at once, by one coroutine each. One core.
class ClientCall final : public runtime::Interruptible {
 public:
  // `response` is storage lent for the time of the call.
  ClientCall(ClientConnection connection, ResponseHead& response, const HeadLimits& limits,
             Duration stall_max);
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  // The request: writer().begin(...), then write or finish. Errors blame the upstream.
  MessageWriter& writer() { return writer_; }
  Error blamed(Error error) const;

  // The next response head, interim ones included. Errors: protocol (502), connection_closed,
  // deadline_exceeded (504), cancelled. An end before the first byte on a connection that was used
  // before has retry = if_reused: the upstream closed it as we sent.
  runtime::Task<Result<void>> read_head(Method method, Deadline deadline);
  const ResponseHead& response() const { return response_; }
  ResponseHead& response() { return response_; }
  // No byte of an answer has come.
  bool is_silent() const { return is_silent_; }

  runtime::Task<Result<std::string_view>> read_body(Deadline deadline) {
    return body_.next(deadline);
  }
  Result<std::string_view> arrived_body() { return body_.next_arrived(); }
  bool body_ended() const { return body_.ended(); }
  const HeaderList* trailers() const { return body_.trailers(); }

  // The connection, if it may carry another request: both messages complete, nothing left over,
  // and both sides willing. Otherwise nothing, and it is closed with the call.
  bool is_reusable() const;
  // The body's trailers stay valid.
  ClientConnection take_connection();

  runtime::Socket& socket() { return connection_.socket; }
  runtime::Buffer& received() { return received_; }
  // Ends waits that are under way in the other coroutine, with `cancelled`.
  void interrupt() override;

 private:
  Result<void> make_room();
  void begin_body();

  ClientConnection connection_;
  runtime::Buffer received_;
  ResponseHead& response_;
  const HeadLimits& limits_;
  HeadScanner scanner_{HeadScanner::Of::response};
  MessageWriter writer_;
  BodyReader body_;
  bool is_silent_ = true;
  bool has_final_head_ = false;
};

}  // namespace spillway::http
