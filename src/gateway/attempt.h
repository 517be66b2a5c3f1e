// gateway/attempt.h: one try at getting an answer from one endpoint.
#pragma once

#include <algorithm>

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
        call(std::move(connection), response, options.response_head,
             std::min(options.write_timeout, its_limits.idle)),
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
  // When the wait for more of the answer's body ends: after a silence of `idle`, and at body_ends.
  Deadline body_deadline(Instant now) const {
    return Deadline::after(now, limits.idle).no_later_than(body_ends);
  }
  // The client's slowness is not the upstream's: what it took is added to `total`.
  void client_took(Duration time) { body_ends = Deadline::at(body_ends.when() + time); }

  // An error of writing to the client, as the client's.
  static Result<void> client_blamed(Result<void> result) {
    if (!result) result.error().blame = Error::Blame::client;
    return result;
  }
  // Waits that are not under way when the client leaves are not interrupted, so each looks here
  // before it begins.
  Result<void> check_client() const {
    if (!client_left) return {};
    return fail(Error::Code::cancelled, "the client left", Error::Blame::client);
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
  bool client_left = false;  // Or its body failed: nobody waits for an answer.
  bool is_tunnel = false;
  bool is_released = false;  // The endpoint has its place back.
  Instant sent_at{};         // The last of the request, as far as it is sent.
  Deadline body_ends = Deadline::never();
  Result<void> pumped;  // Why the pump ended early.
};

// Whether a client whose side has ended is gone. One that announced that it sends no more (close,
// or HTTP/1.0) may close its side and still listen.
inline bool means_to_leave(const http::RequestHead& request) {
  return request.keep_alive && request.minor_version >= 1;
}
inline bool has_left(http::Exchange& exchange) {
  const bool has_ended = exchange.socket().peer_has_ended() && means_to_leave(exchange.request());
  return has_ended || exchange.socket().is_broken();
}

// Ends the attempt when the client goes away while nobody reads from it, so that work that nobody
// waits for does not hold an endpoint. One end of a tunnel may close its side and still listen.
class Proxy::HangupGuard final : public runtime::HangupListener {
 public:
  HangupGuard(http::Exchange& exchange, Attempt& attempt) : exchange_(exchange), attempt_(attempt) {
    exchange_.set_hangup_listener(this);
    attempt_.client_left = has_left(exchange_);  // While we connected.
  }
  HangupGuard(const HangupGuard&) = delete;
  HangupGuard& operator=(const HangupGuard&) = delete;
  ~HangupGuard() { exchange_.set_hangup_listener(nullptr); }

  void on_hangup(bool is_broken) override {
    const bool may_listen = attempt_.is_tunnel || !means_to_leave(exchange_.request());
    if (may_listen && !is_broken) return;
    attempt_.client_left = true;
    attempt_.call.interrupt();
  }

 private:
  http::Exchange& exchange_;
  Attempt& attempt_;
};

}  // namespace spillway::gateway
