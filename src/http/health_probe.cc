// http/health_probe.cc: connect, ask, read the head.
#include "http/health_probe.h"

#include <memory>
#include <string>
#include <string_view>

#include "http/client_connection.h"
#include "http/http2_client.h"
#include "runtime/gate.h"
#include "runtime/object_pool.h"

namespace spillway::http {

namespace {

std::string host_of(const ProbeRequest& request) {
  if (!request.host.empty()) return request.host;
  return request.address.is_unix() ? "localhost" : to_string(request.address);
}

// A gRPC message: not compressed, its length, and in it HealthCheckRequest{service = 1}.
std::string grpc_check(std::string_view service) {
  std::string message;
  if (!service.empty()) {
    message += '\x0a';
    for (size_t size = service.size();; size >>= 7) {
      const bool is_last = size < 128;
      message += static_cast<char>((size & 127) | (is_last ? 0 : 128));
      if (is_last) break;
    }
    message += service;
  }
  std::string framed(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) framed += static_cast<char>(message.size() >> shift);
  return framed + message;
}

// HealthCheckResponse{status = 1}: SERVING is 1, and an absent field is UNKNOWN.
bool says_serving(std::string_view framed) {
  constexpr std::string_view serving("\0\0\0\0\x02\x08\x01", 7);
  return framed == serving;
}

runtime::Task<void> run_client(Http2Client& client) { co_await client.run(); }

runtime::Task<Result<ProbeAnswer>> ask(Http2Call& call, const ProbeRequest& request,
                                       Deadline deadline) {
  const std::string host = host_of(request);
  const std::string body = request.grpc ? grpc_check(*request.grpc) : std::string{};
  const Method method = request.grpc ? Method::post : Method::get;
  HeaderList fields;
  CHECK(fields.add(Field::user_agent, request.user_agent));
  if (request.grpc) {
    CHECK(fields.add(Field::content_type, "application/grpc"));
    CHECK(fields.add(Field::te, "trailers"));
  }
  BodyFraming framing;
  if (request.grpc) framing = {.kind = BodyFraming::Kind::length, .length = body.size()};
  CO_TRY_VOID(call.begin({.method = to_string(method),
                          .path = request.grpc ? "/grpc.health.v1.Health/Check" : request.path,
                          .scheme = request.tls == nullptr ? "http" : "https",
                          .host = host,
                          .fields = fields,
                          .via = {},
                          .framing = framing}));
  CO_TRY_VOID(co_await call.write(body, true));
  CO_TRY_VOID(co_await call.read_final_head(method, deadline));
  ProbeAnswer answer{.status = call.response().status};
  if (request.grpc) {
    constexpr size_t answer_bytes_max = 64;
    std::string text;
    while (text.size() <= answer_bytes_max) {
      CO_TRY(piece, co_await call.read_body(deadline));
      if (piece.empty()) break;
      text += piece;
    }
    answer.is_serving = says_serving(text);
  }
  co_return answer;
}

runtime::Task<Result<ProbeAnswer>> probe_http2(runtime::Loop& loop, const ProbeRequest& request,
                                               Deadline deadline) {
  const Instant began = loop.now();
  CO_TRY(socket, co_await connect(loop, request.address, request.tls, "h2", deadline));
  const auto response = std::make_unique<ResponseHead>();
  Http2Client client(socket, {.write_timeout = deadline.left(began)});
  runtime::Gate gate(loop);
  CHECK(gate.spawn(run_client(client)));
  runtime::ObjectPool<Http2Response> streams;
  Result<ProbeAnswer> answer;
  {
    Http2Call call(client, streams.borrow(), *response, deadline.left(began));
    answer = co_await ask(call, request, deadline);
    if (answer) answer->took = loop.now() - began;
  }
  client.close();
  CHECK((co_await gate.close(Deadline::never())).has_value());
  co_return answer;
}

}  // namespace

runtime::Task<Result<ProbeAnswer>> probe(runtime::Loop& loop, ProbeRequest request,
                                         Deadline deadline) {
  if (request.is_http2 || request.grpc) co_return co_await probe_http2(loop, request, deadline);
  const Instant began = loop.now();
  CO_TRY(socket, co_await connect(loop, request.address, request.tls, "http/1.1", deadline));
  const auto response = std::make_unique<ResponseHead>();
  const HeadLimits limits;
  ClientCall call({.socket = std::move(socket)}, *response, limits, deadline.left(began));
  const std::string host = host_of(request);
  CO_TRY_VOID(call.writer().begin({}, [&](HeadWriter& head) {
    head.request_line("GET", request.path, {}, false);
    head.field("host", host);
    head.field("user-agent", request.user_agent);
    head.field("accept", "*/*");
    head.field("connection", "close");
    head.end_of_head();
  }));
  CO_TRY_VOID(co_await call.writer().flush());
  CO_TRY_VOID(co_await call.read_final_head(Method::get, deadline));
  co_return ProbeAnswer{.status = call.response().status, .took = loop.now() - began};
}

}  // namespace spillway::http
