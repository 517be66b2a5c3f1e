// http/server_connection.h: one client's HTTP/1 connection, request after request.
#pragma once

#include <string_view>

#include "base/intrusive_list.h"
#include "http/exchange.h"
#include "http/head_scanner.h"
#include "http/http1_exchange.h"
#include "http/message.h"
#include "http/serializer.h"
#include "runtime/buffer_pool.h"
#include "runtime/object_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"
#include "telemetry/registry.h"

namespace spillway::http {

// Of all connections of one core.
struct ServerCounts {
  ServerCounts(telemetry::Registry& registry, uint32_t core);

  telemetry::Counter requests;
  telemetry::Counter bad_requests;  // Answered 400, 414, 431, 501 or 505 before any handler.
  telemetry::Counter head_timeouts;
  telemetry::Counter truncated;  // Answers cut in mid-body.
};

// What all connections of one core share. Outlives them.
struct ServerContext {
  ServerContext(runtime::Loop& its_loop, telemetry::Registry& registry)
      : loop(its_loop), counts(registry, its_loop.core()) {}

  const DateField& current_date() {
    date.update(loop.wall_now());
    return date;
  }

  runtime::Loop& loop;
  runtime::ObjectPool<RequestHead> heads;
  DateField date;
  ServerCounts counts;
};

// Reads requests strictly (RFC 9112) and hands each to the handler, in order: pipelined requests
// wait in the socket or the buffer. Idle, it holds no buffer. One core.
class ServerConnection : public ListLink {
 public:
  ServerConnection(runtime::Socket socket, const ClientInfo& client, ServerContext& context,
                   const ServerLimits& limits, RequestHandler& handler);

  // Serves until either side ends the connection. `received` is what came before (for example
  // behind a PROXY header).
  runtime::Task<void> run(runtime::Buffer received = {});

  // Closes when idle or after the current answer, which says so if its head is not written yet
  // (RFC 9112 section 9.6). Whoever had an answer a moment ago may be sending the next request, so
  // that one is still taken. A tunnel goes on.
  void drain();
  // Ends everything at once: the drain's deadline has passed.
  void cut();

 private:
  // How a request came to be: go on with it, or with the next, or end the connection.
  enum class Arrival : uint8_t { request, closed };
  runtime::Task<bool> wait_for_request();  // False: the connection ends.
  runtime::Task<Arrival> read_head(RequestHead& head);
  runtime::Task<bool> serve_one(RequestHead& head);  // False: the connection ends.
  // `request`: null if it was not understood.
  runtime::Task<void> refuse(uint16_t status, std::string_view text, const RequestHead* request);
  runtime::Task<void> linger();
  // The handler is done: nothing is owed, in either direction, and another request may follow.
  bool is_complete(const Http1Exchange& exchange) const;
  runtime::Task<bool> settle(
      Http1Exchange& exchange);  // Whether the connection goes on all the same.
  runtime::Task<bool> skip_body(Http1Exchange& exchange);
  Result<void> make_room();

  runtime::Socket socket_;
  const ClientInfo client_;
  ServerContext& context_;
  const ServerLimits limits_;  // Of the plan under which it was accepted.
  RequestHandler& handler_;
  runtime::Buffer received_;
  HeadScanner scanner_{HeadScanner::Of::request};
  Http1Exchange* exchange_ = nullptr;  // While the handler runs.
  uint32_t requests_in_a_row_ = 0;     // Without a wait for the client in between.
  Instant head_began_;                 // When this request's head was first waited for.
  bool is_idle_ = false;
  bool is_draining_ = false;
  bool is_cut_ = false;
};

}  // namespace spillway::http
