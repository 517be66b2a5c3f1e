// gateway/attempt.h: one try at getting an answer from one endpoint.
#pragma once

#include "gateway/proxy.h"
#include "runtime/gate.h"

namespace spillway::gateway {

// What the steps of one attempt share; lies in the frame of Proxy::attempt_once.
struct Proxy::Attempt {
  Attempt(runtime::Loop& loop, RequestContext& its_context, RequestBody& its_body,
          RouteMetrics& its_metrics, const Limits& its_limits, Lease its_lease,
          http::ClientConnection connection, http::ResponseHead& response,
          const ProxyOptions& options)
      : context(its_context),
        body(its_body),
        metrics(its_metrics),
        limits(its_limits),
        lease(std::move(its_lease)),
        call(std::move(connection), response, options.response_head, options.write_timeout),
        pumps(loop) {}

  const SocketAddress* address() const { return lease.ticket().address; }

  void start_pump(runtime::Task<void> pump) {
    is_pumping = was_streamed = true;
    CHECK(pumps.spawn(std::move(pump)));
  }

  // When the wait for the answer's head ends: `first_byte` after the last of the request was sent,
  // and within `total` unless the request's body is streamed, whose pace is the client's.
  Deadline head_deadline(Instant now) const {
    if (is_pumping) return Deadline::after(now, limits.first_byte);
    const Deadline first_byte = Deadline::after(sent_at, limits.first_byte);
    return was_streamed ? first_byte : first_byte.no_later_than(limits.total);
  }

  // An error of writing to the client, as the client's.
  static Result<void> client_blamed(Result<void> result) {
    if (!result) result.error().blame = Error::Blame::client;
    return result;
  }

  RequestContext& context;
  RequestBody& body;
  RouteMetrics& metrics;
  const Limits& limits;
  Lease lease;
  http::ClientCall call;
  runtime::Gate pumps;  // The request body on its way up, while the answer comes down.
  bool is_pumping = false;
  bool was_streamed = false;
  bool stops_pumping = false;
  Instant sent_at{};    // The last of the request, as far as it is sent.
  Result<void> pumped;  // Why the pump ended early.
};

// Ends the attempt when the client goes away while nobody reads from it, so that work that nobody
// waits for does not hold an endpoint. A client that announced that it sends no more (close, or
// HTTP/1.0) may close its side and still listen.
class HangupGuard final : public runtime::HangupListener {
 public:
  HangupGuard(http::Exchange& exchange, http::ClientCall& call) : exchange_(exchange), call_(call) {
    exchange_.socket().set_hangup_listener(this);
  }
  HangupGuard(const HangupGuard&) = delete;
  HangupGuard& operator=(const HangupGuard&) = delete;
  ~HangupGuard() { exchange_.socket().set_hangup_listener(nullptr); }

  void on_hangup(bool is_broken) override {
    const http::RequestHead& request = exchange_.request();
    if (is_broken || (request.keep_alive && request.minor_version >= 1)) call_.interrupt();
  }

 private:
  http::Exchange& exchange_;
  http::ClientCall& call_;
};

}  // namespace spillway::gateway
