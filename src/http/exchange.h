// http/exchange.h: one request of a client and the answer to it, as a handler sees them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "http/body_reader.h"
#include "http/head_scanner.h"
#include "http/message.h"
#include "http/message_writer.h"
#include "http/serializer.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// What the listener knows of a client.
struct ClientInfo {
  SocketAddress peer;  // As the PROXY protocol says, where the plan lets it.
  uint16_t local_port = 0;
  bool is_secure = false;
  uint16_t redirect_port = 0;    // Not 0: everything is redirected to https there.
  std::string_view certificate;  // The value of Client-Cert; empty: none was verified.
};

// What a server connection may cost; see http/config.h for the meaning of each.
struct ServerLimits {
  HeadLimits head;
  uint64_t body_bytes_max = uint64_t{10} << 20;
  Duration head_timeout = 10s;
  Duration idle_timeout = 75s;
  Duration body_timeout = 30s;
  Duration write_timeout = 60s;
  uint32_t pipelined = 16;
};

// One request and its response, on one core. Lives in the connection's frame while the handler
// runs; the request's views are valid until the handler returns.
class Exchange {
 public:
  Exchange(runtime::Socket& socket, runtime::Buffer& received, RequestHead& request,
           const ClientInfo& client, const DateField& date, const ServerLimits& limits);

  // The handler may change the fields on their way upstream; the views stay where they are.
  RequestHead& request() { return request_; }
  const ClientInfo& client() const { return client_; }
  runtime::Loop& loop() const { return socket_.loop(); }
  Instant started() const { return started_; }

  // The next piece of the request's body, valid until the next call; empty at its end. Errors blame
  // the client: protocol (answer 400), deadline_exceeded (408), limit_exceeded (413),
  // connection_closed.
  runtime::Task<Result<std::string_view>> read_body();
  bool body_ended() const { return body_.ended(); }
  // The last piece lies behind the head and stays valid as long as the exchange.
  bool body_is_in_place() const { return body_.is_in_place(); }
  uint64_t body_bytes_received() const { return body_.bytes() + tunnel_received_; }
  const HeaderList* request_trailers() const { return body_.trailers(); }
  // Lets a read_body() under way end with `cancelled`: the answer no longer needs it.
  void interrupt_body() { socket_.interrupt_reader(); }
  // Who is told when the client goes away, or cancel() is called, while nobody reads from it.
  void set_hangup_listener(runtime::HangupListener* listener) {
    hangup_ = listener;
    socket_.set_hangup_listener(listener);
  }
  // Ends whatever the handler waits for: the connection is about to be closed.
  void cancel();

  // An interim response (100, 103), sent at once; dropped for HTTP/1.0 clients, who know none.
  // `fields` may be null.
  runtime::Task<Result<void>> send_interim(uint16_t status, const HeaderList* fields = nullptr);

  // Begins the response. `fields` holds no hop-by-hop fields, Content-Length, Transfer-Encoding
  // or Connection; `framing` is what the source of the body knows of its length, and becomes what
  // this client understands. Nothing is sent before the first write, flush or finish.
  Result<void> start_response(uint16_t status, std::string_view reason, const HeaderList& fields,
                              BodyFraming framing);
  runtime::Task<Result<void>> write(std::string_view piece, bool last);
  runtime::Task<Result<void>> flush() { return writer_.flush(); }
  runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr);
  // A whole small answer of our own. `extra` may be null.
  runtime::Task<Result<void>> respond(uint16_t status, std::string_view content_type,
                                      std::string_view body, const HeaderList* extra = nullptr);

  bool response_started() const { return status_ != 0; }
  bool response_ended() const { return response_started() && writer_.ended(); }
  uint16_t status() const { return status_; }  // 0 before the response started.
  uint64_t body_bytes_sent() const { return writer_.body_bytes() + tunnel_sent_; }
  // This response is the last on its connection (a drain, an error that leaves bytes behind).
  void close_after() { keep_alive_ = false; }
  bool keeps_alive() const { return keep_alive_; }
  // Nobody is left to answer: the connection ends without another byte.
  void abandon() { is_abandoned_ = true; }
  bool is_abandoned() const { return is_abandoned_; }

  // After a 101 was sent the handler owns the raw connection: bytes that came behind the request's
  // head are in received(), and the connection closes when the handler returns.
  runtime::Task<Result<void>> switch_protocols(const ResponseHead& head);
  bool has_switched() const { return has_switched_; }
  void count_tunnel(uint64_t from_client, uint64_t to_client) {
    tunnel_received_ += from_client;
    tunnel_sent_ += to_client;
  }
  runtime::Socket& socket() { return socket_; }
  runtime::Buffer& received() { return received_; }

  // For the connection, once the handler has returned.
  BodyReader& body() { return body_; }

 private:
  bool has_no_body(uint16_t status) const;

  runtime::Socket& socket_;
  runtime::Buffer& received_;
  RequestHead& request_;
  const ClientInfo& client_;
  const DateField& date_;
  const ServerLimits& limits_;
  const Instant started_;
  BodyReader body_;
  MessageWriter writer_;
  uint16_t status_ = 0;
  bool keep_alive_;
  bool owes_continue_;
  bool suppresses_body_ = false;
  bool has_switched_ = false;
  bool is_abandoned_ = false;
  runtime::HangupListener* hangup_ = nullptr;
  uint64_t tunnel_received_ = 0;
  uint64_t tunnel_sent_ = 0;
};

// A request that its connection answered with an error, before any handler could see it.
struct RefusedRequest {
  const ClientInfo& client;
  const RequestHead* head = nullptr;  // Null: it was not understood.
  uint16_t status = 400;
  std::string_view reason;  // For a person; a literal.
  Duration took{};          // Since its head was waited for.
};

// The seam between a connection and what answers on it: the gateway, or the control API.
class RequestHandler {
 public:
  // Answers `exchange`. A handler that returns without a started response means 500; one that
  // returns in mid-body means the client is shown a truncated answer.
  virtual runtime::Task<void> serve(Exchange& exchange) = 0;
  // For whoever counts and logs.
  virtual void on_refused(const RefusedRequest&) {}

 protected:
  ~RequestHandler() = default;
};

}  // namespace spillway::http
