// http/http1_exchange.h: a request and its answer on a connection of HTTP/1.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/body_reader.h"
#include "http/exchange.h"
#include "http/message_writer.h"
#include "http/serializer.h"
#include "runtime/buffer_pool.h"
#include "runtime/socket.h"
#include "runtime/task.h"

namespace spillway::http {

// Reads from and writes to the connection's socket, which is this exchange's until the handler
// returns. One core.
class Http1Exchange final : public Exchange {
 public:
  // `received` starts behind the request's head.
  Http1Exchange(runtime::Socket& socket, runtime::Buffer& received, RequestHead& request,
                const ClientInfo& client, const DateField& date, const ServerLimits& limits);

  runtime::Task<Result<std::string_view>> read_body() override;
  bool body_ended() const override { return body_.ended(); }
  bool body_is_in_place() const override { return body_.is_in_place(); }
  uint64_t body_bytes_received() const override { return body_.bytes() + tunnel_received_; }
  HeaderList* request_trailers() override { return body_.trailers(); }
  void interrupt_body() override { socket_.interrupt_reader(); }
  void set_hangup_listener(runtime::HangupListener* listener) override {
    hangup_ = listener;
    socket_.set_hangup_listener(listener);
  }
  bool client_is_gone() const override { return socket_.is_broken(); }
  bool client_has_ended() const override { return socket_.peer_has_ended(); }

  runtime::Task<Result<void>> send_interim(uint16_t status,
                                           const HeaderList* fields = nullptr) override;
  Result<void> start_response(uint16_t status, std::string_view reason, const HeaderList& fields,
                              BodyFraming framing) override;
  runtime::Task<Result<void>> write(std::string_view piece, bool last) override {
    if (suppresses_body_) return writer_.write({}, true);
    return writer_.write(piece, last);
  }
  runtime::Task<Result<void>> write_file(const runtime::FileHandle& file, uint64_t offset,
                                         uint64_t size, bool last) override {
    if (suppresses_body_) return writer_.write({}, true);
    if (socket_.tls() != nullptr) return Exchange::write_file(file, offset, size, last);
    return writer_.write_file(file, offset, size);
  }
  runtime::Task<Result<void>> flush() override { return writer_.flush(); }
  runtime::Task<Result<void>> finish(const HeaderList* trailers = nullptr) override {
    return writer_.finish(suppresses_body_ ? nullptr : trailers);
  }
  bool response_ended() const override { return response_started() && writer_.ended(); }
  uint64_t body_bytes_sent() const override { return writer_.body_bytes() + tunnel_sent_; }

  runtime::Task<Result<void>> switch_protocols(const ResponseHead& head) override;
  runtime::Task<TunnelEnd> tunnel(runtime::Socket& upstream, runtime::Buffer& from_upstream,
                                  Duration idle_max) override {
    return run_tunnel(socket_, received_, upstream, from_upstream, idle_max);
  }

  // For the connection: ends whatever the handler waits for, because the connection is about to be
  // closed.
  void cancel();
  // Once the handler has returned.
  BodyReader& body() { return body_; }

 private:
  runtime::Socket& socket_;
  runtime::Buffer& received_;
  const DateField& date_;
  BodyReader body_;
  MessageWriter writer_;
  runtime::HangupListener* hangup_ = nullptr;
};

}  // namespace spillway::http
