// http/health_probe.cc: connect, ask, read the head.
#include "http/health_probe.h"

#include <memory>

#include "http/client_connection.h"

namespace spillway::http {

runtime::Task<Result<ProbeAnswer>> probe(runtime::Loop& loop, ProbeRequest request,
                                         Deadline deadline) {
  const Instant began = loop.now();
  CO_TRY(socket, co_await runtime::Socket::connect(loop, request.address, deadline));
  const auto response = std::make_unique<ResponseHead>();
  const HeadLimits limits;
  ClientCall call({.socket = std::move(socket)}, *response, limits, deadline.left(began));
  const std::string host = !request.host.empty()       ? request.host
                           : request.address.is_unix() ? "localhost"
                                                       : to_string(request.address);
  CO_TRY_VOID(call.writer().begin({}, [&](HeadWriter& head) {
    head.request_line("GET", request.path, {}, false);
    head.field("host", host);
    head.field("user-agent", request.user_agent);
    head.field("accept", "*/*");
    head.field("connection", "close");
    head.end_of_head();
  }));
  CO_TRY_VOID(co_await call.writer().flush());
  constexpr int interim_max = 8;
  for (int i = 0; i < interim_max; ++i) {
    CO_TRY_VOID(co_await call.read_head(Method::get, deadline));
    if (!call.response().is_interim()) {
      co_return ProbeAnswer{.status = call.response().status, .took = loop.now() - began};
    }
  }
  co_return fail(Error::Code::protocol, "too many interim responses", Error::Blame::upstream);
}

}  // namespace spillway::http
