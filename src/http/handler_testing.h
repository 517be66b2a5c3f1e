// http/handler_testing.h: for tests: a handler that does what the request's path says.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/check.h"
#include "http/exchange.h"
#include "http/websocket.h"
#include "runtime/event.h"
#include "runtime/loop_testing.h"

namespace spillway::http {

// Keeps what it saw.
class ScriptedHandler final : public RequestHandler {
 public:
  explicit ScriptedHandler(runtime::Loop& loop) : go_on(loop) {}

  runtime::Task<void> serve(Exchange& exchange) override {
    const RequestHead& request = exchange.request();
    seen.push_back(std::string(request.method_text) + " " + std::string(request.path));
    if (on_request) on_request(request);
    if (request.path == "/echo") co_return co_await echo(exchange);
    if (request.path == "/early") {
      (void)co_await exchange.respond(403, "text/plain", "no\n");
    } else if (request.path == "/nothing") {
    } else if (request.path == "/wait") {
      is_waiting = true;
      (void)co_await go_on.wait(Deadline::never());
      (void)co_await exchange.respond(200, "text/plain", "late\n");
    } else if (request.path == "/wait/large") {
      co_await send_late(exchange);
    } else if (request.path.starts_with("/wait/")) {
      co_await head_late(exchange, request.path);
    } else if (request.path == "/upgrade") {
      co_await upgrade(exchange);
    } else if (request.path.starts_with("/status/")) {
      const auto status = parse_decimal<uint16_t>(request.path.substr(8));
      CHECK(exchange.start_response(*status, "Fine", {}, BodyFraming{}).has_value());
      (void)co_await exchange.finish();
    } else if (request.path == "/unknown-length") {
      co_await stream(exchange, {.kind = BodyFraming::Kind::until_close}, true);
    } else if (request.path == "/large") {
      co_await send_large(exchange);
    } else if (request.path == "/trailers") {
      co_await send_trailers(exchange);
    } else if (request.path == "/hold") {
      co_await hold(exchange);
    } else if (request.path.starts_with("/cut/")) {
      const auto kind =
          request.path == "/cut/length" ? BodyFraming::Kind::length : BodyFraming::Kind::chunked;
      co_await stream(exchange, {.kind = kind, .length = 100}, false);
    } else {
      (void)co_await exchange.respond(200, "text/plain", "hello\n");
    }
  }

  std::function<void(const RequestHead&)> on_request;  // A look at each; or none.
  std::vector<std::string> seen;
  std::string body;  // Of the last request to /echo.
  std::string trailers;
  std::optional<Error> body_error;
  std::optional<runtime::Peer> upgraded;  // The far end of the tunnel.
  runtime::Event go_on;
  bool is_waiting = false;
  bool saw_hangup = false;
  std::optional<Error> write_error;
  static constexpr size_t large_size = 1 << 20;  // Of the answer from /large.
  static constexpr size_t late_size = 1 << 17;   // Of the one piece from /wait/large.

 private:
  class Listener final : public runtime::HangupListener {
   public:
    explicit Listener(ScriptedHandler& handler) : handler_(handler) {}
    void on_hangup(bool) override {
      handler_.saw_hangup = true;
      handler_.go_on.set();
    }

   private:
    ScriptedHandler& handler_;
  };

  // Answers when let, or ends when the client leaves.
  runtime::Task<void> send_late(Exchange& exchange) {
    const std::string piece(late_size, 'l');
    (void)co_await go_on.wait(Deadline::never());
    const BodyFraming framing{.kind = BodyFraming::Kind::length, .length = piece.size()};
    CHECK(exchange.start_response(200, "OK", {}, framing).has_value());
    (void)co_await exchange.write(piece, true);
  }
  // No body, but a head as long as the path.
  runtime::Task<void> head_late(Exchange& exchange, std::string_view path) {
    (void)co_await go_on.wait(Deadline::never());
    HeaderList fields;
    CHECK(fields.add(Field::etag, path));
    CHECK(exchange.start_response(304, "Not Modified", fields, {}).has_value());
    (void)co_await exchange.finish();
  }
  runtime::Task<void> hold(Exchange& exchange) {
    Listener listener(*this);
    exchange.set_hangup_listener(&listener);
    is_waiting = true;
    (void)co_await go_on.wait(Deadline::never());
    exchange.set_hangup_listener(nullptr);
    if (saw_hangup) co_return exchange.abandon();
    co_await echo(exchange);
  }

  runtime::Task<void> send_large(Exchange& exchange) {
    const std::string piece(large_size / 8, 'x');
    CHECK(exchange
              .start_response(200, "OK", {},
                              {.kind = BodyFraming::Kind::length, .length = large_size})
              .has_value());
    for (size_t sent = 0; sent < large_size; sent += piece.size()) {
      auto written = co_await exchange.write(piece, sent + piece.size() == large_size);
      if (written) continue;
      write_error = std::move(written).error();
      co_return;
    }
  }

  static runtime::Task<void> send_trailers(Exchange& exchange) {
    HeaderList trailers_sent;
    CHECK(trailers_sent.add("grpc-status", "0"));
    CHECK(exchange.start_response(200, "OK", {}, {.kind = BodyFraming::Kind::chunked}).has_value());
    (void)co_await exchange.write("body", false);
    (void)co_await exchange.finish(&trailers_sent);
  }

  runtime::Task<void> echo(Exchange& exchange) {
    body.clear();
    trailers.clear();
    while (true) {
      auto piece = co_await exchange.read_body();
      if (!piece) {
        body_error = piece.error();
        exchange.close_after();
        (void)co_await exchange.respond(400, "text/plain", "bad body\n");
        co_return;
      }
      if (piece->empty()) break;
      body += *piece;
    }
    if (exchange.request_trailers() != nullptr) {
      for (const HeaderField& field : *exchange.request_trailers()) {
        trailers += std::string(field.name) + "=" + std::string(field.value) + ";";
      }
    }
    (void)co_await exchange.respond(200, "text/plain", body);
  }

  static runtime::Task<void> stream(Exchange& exchange, BodyFraming framing, bool ends) {
    CHECK(exchange.start_response(200, "OK", {}, framing).has_value());
    (void)co_await exchange.write("one ", false);
    (void)co_await exchange.write("two ", false);
    if (ends) (void)co_await exchange.finish();
  }

  runtime::Task<void> upgrade(Exchange& exchange) {
    ResponseHead head;
    head.status = 101;
    const std::string accept =
        websocket_accept(exchange.request().fields.value(Field::sec_websocket_key));
    CHECK(head.fields.add(Field::sec_websocket_accept, accept));
    (void)co_await exchange.switch_protocols(head);
    auto pair = runtime::connected_pair(exchange.loop());
    upgraded.emplace(std::move(pair.peer));
    runtime::Buffer nothing;
    exchange.count_tunnel(co_await exchange.tunnel(pair.socket, nothing, 5s));
  }
};

}  // namespace spillway::http
