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
#include "http/upstream_call.h"
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

// A call in HTTP/1, on a connection that this owns meanwhile. One core.
class ClientCall final : public UpstreamCall {
 public:
  // `response` is storage lent for the time of the call.
  ClientCall(ClientConnection connection, ResponseHead& response, const HeadLimits& limits,
             Duration stall_max);

  Result<void> begin(const OutgoingRequest& request) override;
  runtime::Task<Result<void>> write(std::string_view piece, bool last) override {
    return writer_.write(piece, last);
  }
  runtime::Task<Result<void>> flush() override { return writer_.flush(); }
  runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr) override {
    return writer_.finish(trailers);
  }
  // For requests that begin() does not know.
  MessageWriter& writer() { return writer_; }
  Error blamed(Error error) const override;

  // An end before the first byte on a connection that was used before has retry = if_reused: the
  // upstream closed it as we sent.
  runtime::Task<Result<void>> read_head(Method method, Deadline deadline) override;
  // No byte of an answer has come.
  bool is_silent() const { return is_silent_; }

  runtime::Task<Result<std::string_view>> read_body(Deadline deadline) override {
    return body_.next(deadline);
  }
  Result<std::string_view> arrived_body() override { return body_.next_arrived(); }
  bool body_ended() const override { return body_.ended(); }
  const HeaderList* trailers() const override { return body_.trailers(); }

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
  const HeadLimits& limits_;
  HeadScanner scanner_{HeadScanner::Of::response};
  MessageWriter writer_;
  BodyReader body_;
  bool is_silent_ = true;
  bool has_final_head_ = false;
};

}  // namespace spillway::http
