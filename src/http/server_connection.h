// http/server_connection.h: one client's HTTP/1 connection, request after request.
#pragma once

#include <string_view>

#include "base/intrusive_list.h"
#include "http/exchange.h"
#include "http/head_scanner.h"
#include "http/message.h"
#include "http/serializer.h"
#include "runtime/buffer_pool.h"
#include "runtime/object_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// Counted by whoever owns the connections; one core.
struct ServerCounts {
  uint64_t requests = 0;
  uint64_t bad_requests = 0;  // Answered 400, 414, 417, 431, 501 or 505 before any handler.
  uint64_t head_timeouts = 0;
  uint64_t truncated = 0;  // Answers cut in mid-body.
};

// What all connections of one core share. Outlives them.
struct ServerContext {
  explicit ServerContext(runtime::Loop& its_loop) : loop(its_loop) {}

  runtime::Loop& loop;
  runtime::ObjectPool<RequestHead> heads;
  DateField date;
  ServerCounts counts;
  const DateField& current_date() {
    date.update(loop.wall_now());
    return date;
  }
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

  // Closes when idle, now or after the current answer, which says so (RFC 9112 section 9.6). A
  // tunnel goes on.
  void drain();
  // Ends everything at once: the drain's deadline has passed.
  void cut();
  bool is_idle() const { return is_idle_; }
  bool is_tunnel() const { return is_tunnel_; }

 private:
  // How a request came to be: go on with it, or with the next, or end the connection.
  enum class Arrival : uint8_t { request, closed };
  runtime::Task<Arrival> read_head(RequestHead& head);
  runtime::Task<bool> serve_one(RequestHead& head);  // False: the connection ends.
  runtime::Task<void> refuse(uint16_t status, std::string_view text);
  runtime::Task<void> linger();
  runtime::Task<bool> skip_body(Exchange& exchange);
  Result<void> make_room();

  runtime::Socket socket_;
  const ClientInfo client_;
  ServerContext& context_;
  const ServerLimits& limits_;
  RequestHandler& handler_;
  runtime::Buffer received_;
  HeadScanner scanner_{HeadScanner::Of::request};
  bool is_idle_ = false;
  bool is_tunnel_ = false;
  bool is_draining_ = false;
  bool is_cut_ = false;
};

}  // namespace spillway::http
