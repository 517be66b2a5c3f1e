// gateway/attempt.h: one request on its way upstream, and one try at getting its answer.
#pragma once

#include <algorithm>
#include <array>

#include "base/intrusive_list.h"
#include "gateway/proxy.h"
#include "gateway/request_body.h"
#include "runtime/gate.h"
#include "runtime/interruption.h"

namespace spillway::gateway {

// However generous the plan: each attempt costs an upstream work.
constexpr uint32_t attempts_max = 10;

// What the attempts of one request share; lies in the frame of Proxy::forward. While it lives, all
// attempts under way end when the client goes away, so that work that nobody waits for does not
// hold an endpoint or a place in a queue.
struct Proxy::Forwarding final : public runtime::HangupListener {
  Forwarding(RequestContext& its_context, RequestBody& its_body, RouteMetrics& its_metrics,
             const Limits& its_limits)
      : context(its_context), body(its_body), metrics(its_metrics), limits(its_limits) {
    context.exchange.set_hangup_listener(this);
    client_left = has_left();  // While nobody listened.
  }
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;
  ~Forwarding() { context.exchange.set_hangup_listener(nullptr); }

  // One that announced that it sends no more (close, or HTTP/1.0) may close its side and still
  // listen, and so may one end of a tunnel.
  bool may_close_its_side() const {
    const http::RequestHead& request = context.exchange.request();
    return is_tunnel || !request.keep_alive || request.minor_version == 0;
  }
  bool has_left() const {
    const http::Exchange& exchange = context.exchange;
    return exchange.client_is_gone() || (exchange.client_has_ended() && !may_close_its_side());
  }
  void on_hangup(bool is_broken) override {
    if (is_broken || !may_close_its_side()) end_attempts();
  }
  // The client left, or its body failed: nobody waits for an answer.
  void end_attempts() {
    client_left = true;
    end_attempts_but(nullptr);
  }
  void end_attempts_but(const runtime::Interruption* one) {
    for (auto* other = under_way.first(); other != nullptr; other = under_way.next(*other)) {
      if (other != one) other->interrupt();
    }
  }

  // Why an attempt is interrupted.
  std::unexpected<Error> ended() const {
    if (client_left) return fail(Error::Code::cancelled, "the client left", Error::Blame::client);
    return fail(Error::Code::cancelled, "the other attempt was answered first");
  }

  std::span<const upstream::EndpointId> tried() const {
    return std::span(tried_).first(tried_count_);
  }
  void note(const upstream::Ticket& ticket) {
    tried_[tried_count_++] = ticket.endpoint;
    context.note_endpoint(ticket);
  }

  RequestContext& context;
  RequestBody& body;
  RouteMetrics& metrics;
  const Limits& limits;
  IntrusiveList<runtime::Interruption> under_way;  // One for each attempt.
  bool client_left = false;
  bool is_answered = false;  // An attempt has claimed the client.
  bool is_tunnel = false;

 private:
  uint32_t tried_count_ = 0;
  std::array<upstream::EndpointId, attempts_max + 1> tried_;  // With one hedge.
};

// What the steps of one attempt share once it has a connection; lies in the frame of
// Proxy::attempt_once.
struct Proxy::Attempt {
  Attempt(Proxy& proxy, Forwarding& its_work, runtime::Interruption& its_interruption,
          Lease its_lease, Carrier carrier, http::ResponseHead& response)
      : work(its_work),
        context(work.context),
        limits(work.limits),
        interruption(its_interruption),
        lease(std::move(its_lease)),
        call(start(proxy, carrier, response)),
        pumps(proxy.loop_) {
    interruption.waits_for(call);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  ~Attempt() { interruption.waits_no_more(); }

  const SocketAddress* address() const { return lease.ticket().address; }

  // Either of the two, as the service's endpoints speak.
  http::UpstreamCall& start(Proxy& proxy, Carrier& carrier, http::ResponseHead& response) {
    const ProxyOptions& options = proxy.options_;
    const Duration stall_max = std::min(options.write_timeout, limits.idle);
    if (carrier.client != nullptr) {
      return http2.emplace(*carrier.client, proxy.http2_.stream(), response, stall_max);
    }
    return http1.emplace(std::move(*carrier.connection), response, options.response_head,
                         stall_max);
  }

  // The answer turns the connection into a tunnel.
  bool switches() { return call.response().status == 101; }

  void start_pump(runtime::Task<void> pump) {
    is_pumping = was_streamed = true;
    CHECK(pumps.spawn(std::move(pump)));
  }

  // When the wait for the answer's head ends: `first_byte` after the last of the request was sent,
  // and within `total` unless the request's body is streamed, whose pace is the client's.
  Deadline head_deadline(Instant now) const {
    if (is_pumping) return Deadline::after(now, limits.first_byte).no_later_than(limits.whole);
    const Deadline first_byte =
        Deadline::after(sent_at, limits.first_byte).no_later_than(limits.whole);
    return was_streamed ? first_byte : first_byte.no_later_than(limits.total);
  }
  // When the wait for more of the answer's body ends: after a silence of `idle`, and at body_ends.
  Deadline body_deadline(Instant now) const {
    return Deadline::after(now, limits.idle).no_later_than(body_ends).no_later_than(limits.whole);
  }
  // The client's slowness is not the upstream's: what it took is added to `total`.
  void client_took(Duration time) { body_ends = Deadline::at(body_ends.when() + time); }

  // An error of writing to the client, as the client's.
  static Result<void> client_blamed(Result<void> result) {
    if (!result) result.error().blame = Error::Blame::client;
    return result;
  }
  // Waits that are not under way when the attempt is ended are not interrupted, so each looks here
  // before it begins.
  Result<void> check_wanted() const {
    if (!interruption.is_interrupted()) return {};
    return work.ended();
  }
  // An answer has begun to arrive: from here on the client is this attempt's, and one beside it is
  // ended. Error: that one was first.
  Result<void> claim_client() {
    TRY_VOID(check_wanted());
    work.is_answered = true;
    if (context.hedges == 0) return {};
    work.end_attempts_but(&interruption);
    context.note_endpoint(lease.ticket());
    return {};
  }

  Forwarding& work;
  RequestContext& context;
  const Limits& limits;
  runtime::Interruption& interruption;
  Lease lease;
  std::optional<http::ClientCall> http1;
  std::optional<http::Http2Call> http2;
  http::UpstreamCall& call;  // One of these two.
  runtime::Gate pumps;       // The request body on its way up, while the answer comes down.
  bool is_pumping = false;
  bool was_streamed = false;
  bool stops_pumping = false;
  bool is_released = false;  // The endpoint has its place back.
  Instant sent_at{};         // The last of the request, as far as it is sent.
  Deadline body_ends = Deadline::never();
  Result<void> pumped;  // Why the pump ended early.
};

}  // namespace spillway::gateway
