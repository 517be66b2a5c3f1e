// http/server_connection.h: one client's connection: HTTP/1, request after request, or HTTP/2.
#pragma once

#include <string_view>

#include "base/intrusive_list.h"
#include "http/exchange.h"
#include "http/head_scanner.h"
#include "http/http1_exchange.h"
#include "http/message.h"
#include "http/server_context.h"
#include "runtime/buffer_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

class Http2Server;

// Reads requests strictly (RFC 9112) and hands each to the handler, in order: pipelined requests
// wait in the socket or the buffer. Idle, it holds no buffer. Where ALPN says so, or the client
// begins with its preface (RFC 9113 section 3.3), all is left to an Http2Server. One core.
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
  enum class Arrival : uint8_t { request, closed, http2 };
  runtime::Task<void> run_http2();
  bool is_http2_preface() const;
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
  Http2Server* http2_ = nullptr;       // While it runs.
  Http1Exchange* exchange_ = nullptr;  // While the handler runs.
  uint32_t requests_in_a_row_ = 0;     // Without a wait for the client in between.
  Instant head_began_;                 // When this request's head was first waited for.
  bool is_first_ = true;               // No request was read yet.
  bool is_idle_ = false;
  bool is_draining_ = false;
  bool is_cut_ = false;
};

}  // namespace spillway::http
