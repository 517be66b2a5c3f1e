// http/http2_exchange.h: a request and its answer on a stream of HTTP/2.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/exchange.h"
#include "http/http2_head.h"
#include "http/http2_session.h"
#include "http/http2_stream.h"
#include "http/serializer.h"
#include "runtime/buffer_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// Lies in the frame that runs the handler; the stream outlives it. What is written leaves with that
// of the session's other streams. One core.
class Http2Exchange final : public Exchange {
 public:
  Http2Exchange(Http2Session& session, Http2Stream& stream, RequestHead& request,
                const Http2RequestHead& received, const ClientInfo& client, const DateField& date,
                const ServerLimits& limits)
      : Exchange(session.loop(), request, client, limits),
        session_(session),
        stream_(stream),
        received_(received),
        date_(date) {}

  runtime::Task<Result<std::string_view>> read_body() override;
  bool body_ended() const override { return is_tunnel() || stream_.receive_ended(); }
  bool body_is_in_place() const override { return stream_.is_in_place(); }
  uint64_t body_bytes_received() const override {
    return has_switched_ ? tunnel_received_ : stream_.bytes_received();
  }
  HeaderList* request_trailers() override { return received_.trailers(); }
  void interrupt_body() override { stream_.interrupt_reader(); }
  void set_hangup_listener(runtime::HangupListener* listener) override {
    stream_.set_hangup_listener(listener);
  }
  bool client_is_gone() const override { return stream_.is_broken(); }
  bool client_has_ended() const override { return false; }  // The end of a request is no farewell.

  runtime::Task<Result<void>> send_interim(uint16_t status,
                                           const HeaderList* fields = nullptr) override;
  Result<void> start_response(uint16_t status, std::string_view reason, const HeaderList& fields,
                              BodyFraming framing) override;
  runtime::Task<Result<void>> write(std::string_view piece, bool last) override;
  runtime::Task<Result<void>> flush() override;
  runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr) override;
  bool response_ended() const override { return response_started() && stream_.send_ended(); }
  uint64_t body_bytes_sent() const override {
    return has_switched_ ? tunnel_sent_ : stream_.bytes_sent();
  }

  runtime::Task<Result<void>> switch_protocols(const ResponseHead& head) override;
  runtime::Task<TunnelEnd> tunnel(runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                  Duration idle_max) override;

 private:
  // Of extended CONNECT, granted or not yet: what the client sends is no body.
  bool is_tunnel() const { return request_.wants_upgrade; }
  Result<void> submit(uint16_t status, const HeaderList& fields, const BodyFraming* length,
                      bool has_body);

  Http2Session& session_;
  Http2Stream& stream_;
  const Http2RequestHead& received_;
  const DateField& date_;
  uint64_t left_ = 0;  // Of a response with Content-Length.
  bool has_length_ = false;
};

}  // namespace spillway::http
