// http/http2_server.h: one client's HTTP/2 connection, its requests side by side.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "http/exchange.h"
#include "http/http2_exchange.h"
#include "http/http2_request.h"
#include "http/http2_session.h"
#include "http/server_context.h"
#include "runtime/gate.h"
#include "runtime/object_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// Each request is a task of its own. One core.
class Http2Server final : public Http2Session {
 public:
  // All outlive it.
  Http2Server(runtime::Socket& socket, const ClientInfo& client, ServerContext& context,
              const ServerLimits& limits, RequestHandler& handler);

  // Serves until either side ends the connection and all requests have ended. `received`: what has
  // arrived, from the preface on.
  runtime::Task<void> run(runtime::Buffer received);

  // RFC 9113 section 6.8: says that the end is near, then that no new request is taken, and closes
  // when those under way have ended.
  void drain();
  // Ends everything at once.
  void cut();

 private:
  using Request = runtime::ObjectPool<Http2Request>::Lent;

  Http2Stream* begin(int32_t id) override;
  void on_field(Http2Stream& stream, nghttp2_rcbuf* name, nghttp2_rcbuf* value) override;
  bool on_head(Http2Stream& stream, bool is_last) override;
  void on_stream_closed(Http2Stream& stream) override;
  bool bear(Http2Burden burden) override;
  void on_batch() override;
  Deadline wait_deadline() override;
  bool on_wait_passed() override;
  bool is_new_work() const override { return handlers_.count() == 0; }

  runtime::Task<void> serve(Request request);
  runtime::Task<void> refuse(Http2Exchange& exchange, const HeadResult& why);
  runtime::Task<void> settle(Http2Exchange& exchange, Http2Stream& stream);
  void drop_forming();
  Deadline idle_deadline() const;

  const ClientInfo& client_;
  ServerContext& context_;
  const ServerLimits& limits_;
  RequestHandler& handler_;
  runtime::Gate handlers_;
  Request forming_;  // Its head is not complete; or nothing.
  bool has_forming_ = false;
  std::vector<Request> begun_;  // Complete in this batch.
  Instant head_began_;          // Of forming_, or of the client's first SETTINGS.
  Instant idle_since_;
  Deadline goaway_at_ = Deadline::never();  // The second one of a drain.
  Instant burdens_since_;
  std::array<uint32_t, http2_burden_count> burdens_{};  // Since then.
  bool has_greeted_ = false;                            // The client's SETTINGS have come.
};

}  // namespace spillway::http
