// http/exchange.h: one request of a client and the answer to it, as a handler sees them.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"
#include "http/head_scanner.h"
#include "http/http2_limits.h"
#include "http/message.h"
#include "http/tunnel.h"
#include "runtime/descriptor.h"
#include "runtime/file_handle.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// What the listener knows of a client.
struct ClientInfo {
  SocketAddress peer;  // As the PROXY protocol says, where the plan lets it.
  uint16_t local_port = 0;
  bool is_secure = false;
  uint16_t redirect_port = 0;    // Not 0: everything is redirected to https there.
  bool speaks_http2 = false;     // By ALPN.
  std::string_view certificate;  // The value of Client-Cert; empty: none was verified.
};

// What a server connection may cost; see http/config.h for the meaning of each.
struct ServerLimits {
  HeadLimits head;
  uint64_t body_bytes_max = uint64_t{10} << 20;
  Duration head_timeout = 10s;
  Duration idle_timeout = 75s;
  Duration body_timeout = 30s;
  uint64_t body_rate_min = 0;  // Bytes a second; 0: any.
  Duration write_timeout = 60s;
  uint32_t pipelined = 16;
  Http2Limits http2;
};

// One request and its response, on one core, whatever version of HTTP the client speaks. Lives in
// the connection's frame while the handler runs; the request's views are valid until the handler
// returns.
class Exchange {
 public:
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // The handler may change the fields on their way upstream; the views stay where they are.
  RequestHead& request() { return request_; }
  const ClientInfo& client() const { return client_; }
  runtime::Loop& loop() const { return loop_; }
  Instant started() const { return started_; }

  // The next piece of the request's body, valid until the next call; empty at its end. Errors blame
  // the client: protocol (answer 400), deadline_exceeded (408), limit_exceeded (413),
  // connection_closed.
  virtual runtime::Task<Result<std::string_view>> read_body() = 0;
  virtual bool body_ended() const = 0;
  // The last piece stays valid as long as the exchange.
  virtual bool body_is_in_place() const = 0;
  virtual uint64_t body_bytes_received() const = 0;  // Those of a tunnel too.
  virtual HeaderList* request_trailers() = 0;
  // Lets a read_body() under way end with `cancelled`: the answer no longer needs it.
  virtual void interrupt_body() = 0;
  // Who is told when the client goes away, or the connection is cut, while nobody reads from it.
  virtual void set_hangup_listener(runtime::HangupListener* listener) = 0;
  // What is known of the client without reading from it: nobody can be answered any more; it sends
  // no more, and may still listen.
  virtual bool client_is_gone() const = 0;
  virtual bool client_has_ended() const = 0;

  // An interim response (100, 103), sent at once; dropped for HTTP/1.0 clients, who know none.
  // `fields` may be null.
  virtual runtime::Task<Result<void>> send_interim(uint16_t status,
                                                   const HeaderList* fields = nullptr) = 0;

  // Begins the response. `fields` holds no hop-by-hop fields, Content-Length, Transfer-Encoding
  // or Connection; `framing` is what the source of the body knows of its length, and becomes what
  // this client understands. It waits for the first write, flush or finish to be sent with it.
  virtual Result<void> start_response(uint16_t status, std::string_view reason,
                                      const HeaderList& fields, BodyFraming framing) = 0;
  virtual runtime::Task<Result<void>> write(std::string_view piece, bool last) = 0;
  // Of a file that goes through a buffer of ours.
  static constexpr size_t file_piece_bytes = 64 << 10;
  // The next piece is so many bytes of a file. REQUIRES: the length of the body was told. May block
  // for the disk. Errors beyond those of write(): protocol, the file has become shorter; io.
  virtual runtime::Task<Result<void>> write_file(const runtime::FileHandle& file, uint64_t offset,
                                                 uint64_t size, bool last);
  virtual runtime::Task<Result<void>> flush() = 0;
  virtual runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr) = 0;
  // A whole small answer of our own. `extra` may be null.
  runtime::Task<Result<void>> respond(uint16_t status, std::string_view content_type,
                                      std::string_view body, const HeaderList* extra = nullptr);

  bool response_started() const { return status_ != 0; }
  virtual bool response_ended() const = 0;
  uint16_t status() const { return status_; }    // 0 before the response started.
  virtual uint64_t body_bytes_sent() const = 0;  // Those of a tunnel too.
  // This response is the last on its connection (a drain, an error that leaves bytes behind).
  void close_after() { keep_alive_ = false; }
  bool keeps_alive() const { return keep_alive_; }
  // We want no more of this client: the connection ends after this response, once what else it has
  // under way is done.
  void turn_away() {
    close_after();
    is_unwelcome_ = true;
  }
  bool is_unwelcome() const { return is_unwelcome_; }
  // Nobody is left to answer: the connection ends without another byte.
  void abandon() { is_abandoned_ = true; }
  bool is_abandoned() const { return is_abandoned_; }

  // Grants the upgrade that the client asked for, with the upstream's 101. Then the handler calls
  // tunnel(), which carries bytes between client and upstream as run_tunnel() says.
  virtual runtime::Task<Result<void>> switch_protocols(const ResponseHead& head) = 0;
  virtual runtime::Task<TunnelEnd> tunnel(runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                          Duration idle_max) = 0;
  bool has_switched() const { return has_switched_; }
  void count_tunnel(const TunnelEnd& end) {
    tunnel_received_ += end.bytes_to_upstream;
    tunnel_sent_ += end.bytes_to_client;
  }

 protected:
  Exchange(runtime::Loop& loop, RequestHead& request, const ClientInfo& client,
           const ServerLimits& limits)
      : loop_(loop),
        request_(request),
        client_(client),
        limits_(limits),
        started_(loop.now()),
        keep_alive_(request.keep_alive),
        owes_continue_(request.expects_continue && request.minor_version >= 1) {}
  ~Exchange() = default;

  // Until when the next piece of the body has to come. A client may be slow, but not for ever.
  Deadline body_deadline();
  // What came of that wait; an error says which limit it was.
  void end_wait(Instant began, Result<std::string_view>& piece);

  bool has_no_body(uint16_t status) const {
    return request_.method == Method::head || status == 204 || status == 304;
  }

  runtime::Loop& loop_;
  RequestHead& request_;
  const ClientInfo& client_;
  const ServerLimits& limits_;
  const Instant started_;
  uint16_t status_ = 0;
  bool keep_alive_;
  bool owes_continue_;  // The client waits for a 100 before it sends (RFC 9110 section 10.1.1).
  bool suppresses_body_ = false;
  bool has_switched_ = false;
  bool is_abandoned_ = false;
  bool is_unwelcome_ = false;
  Duration waited_for_body_{};
  bool is_body_too_slow_ = false;  // The next wait is cut short by body_rate_min.
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
