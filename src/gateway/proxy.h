// gateway/proxy.h: sends a request upstream, again if that is safe, and streams the answer back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/time.h"
#include "gateway/metrics.h"
#include "gateway/read_ahead.h"
#include "gateway/request_context.h"
#include "gateway/service.h"
#include "http/client_connection.h"
#include "http/client_pool.h"
#include "http/http2_client.h"
#include "http/http2_pool.h"
#include "http/via.h"
#include "runtime/object_pool.h"
#include "runtime/task.h"

namespace spillway::gateway {

struct ProxyOptions {
  size_t body_kept_max = 64 << 10;  // For another attempt; see http/config.h.
  http::HeadLimits response_head;   // Of an upstream's answer.
  Duration write_timeout = 60s;     // An upstream that takes no byte of a request; see `idle`.
};

// One core's way to all upstreams. Outlives the requests it carries.
class Proxy {
 public:
  Proxy(runtime::Loop& loop, telemetry::Registry& registry, const http::Via& via,
        const ProxyOptions& options);

  // Answers the exchange: with the upstream's response, or with 502, 503 or 504. context.route and
  // context.service are set.
  runtime::Task<void> forward(RequestContext& context, RouteMetrics& metrics);

  http::ClientPool& pool() { return pool_; }
  // Closes all connections to upstreams; those of HTTP/2 with the calls on them.
  runtime::Task<Result<void>> close(Deadline deadline) {
    pool_.clear();
    return http2_.close(deadline);
  }

 private:
  struct Attempt;
  struct Forwarding;
  struct Limits {
    Deadline total;
    Deadline whole = Deadline::never();  // Of streams too: the client said so (grpc-timeout).
    Duration first_byte;
    Duration idle;
    Duration websocket_idle;
  };

  // What carries a request to an endpoint: a connection of HTTP/1, or room on one of HTTP/2.
  struct Carrier {
    std::optional<http::ClientConnection> connection;
    http::Http2Client* client = nullptr;
  };

  Limits limits_of(const RequestContext& context) const;
  // `lease`: the endpoint's, if it is chosen already.
  runtime::Task<Result<void>> attempt_once(Forwarding& work, std::optional<Lease> lease);
  static bool may_hedge(const Forwarding& work);
  std::optional<Lease> lease_for_hedge(const Forwarding& work);
  runtime::Task<void> attempt_into(Forwarding& work, std::optional<Lease> lease,
                                   Result<void>& result);
  runtime::Task<Result<void>> attempt_hedged(Forwarding& work, Duration after);
  runtime::Task<Result<Carrier>> connect(const SocketAddress& address, const Forwarding& work,
                                         runtime::Interruption& interruption);
  runtime::Task<Result<void>> exchange_heads(Attempt& attempt);
  runtime::Task<Result<void>> read_final_head(Attempt& attempt, bool awaits_continue);
  runtime::Task<void> pump_body(Attempt& attempt);
  runtime::Task<Result<void>> carry_body(Attempt& attempt);
  runtime::Task<void> stop_pump(Attempt& attempt);
  void release(Attempt& attempt);
  Result<void> prepare_answer(Attempt& attempt) const;
  runtime::Task<Result<void>> relay(Attempt& attempt);
  runtime::Task<Result<void>> relay_ahead(Attempt& attempt, std::string_view piece,
                                          size_t bytes_max);
  runtime::Task<void> fill(Attempt& attempt, ReadAhead& ahead, std::string_view piece);
  runtime::Task<Result<void>> drain(Attempt& attempt, ReadAhead& ahead);
  runtime::Task<Result<void>> tunnel(Attempt& attempt);
  Result<void> begin_request(Attempt& attempt, bool is_whole) const;
  runtime::Task<void> answer_error(RequestContext& context, const Error& error) const;
  bool may_retry(const Forwarding& work, const Error& error, uint32_t attempts) const;

  runtime::Loop& loop_;
  const http::Via& via_;
  const ProxyOptions options_;
  http::ClientPool pool_;
  http::Http2Pool http2_;
  runtime::ObjectPool<http::ResponseHead> responses_;
};

}  // namespace spillway::gateway
