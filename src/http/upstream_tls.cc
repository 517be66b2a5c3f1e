// http/upstream_tls.cc: connect, then shake hands.
#include "http/upstream_tls.h"

#include <utility>

namespace spillway::http {
namespace {

Error blamed(Error error, const SocketAddress& to) {
  error.blame = Error::Blame::upstream;
  error.retry = Error::Retry::safe;  // No request was sent.
  error.detail = "TLS with " + to_string(to) + ": " + error.detail;
  return error;
}

}  // namespace

runtime::Task<Result<runtime::Socket>> connect(runtime::Loop& loop, SocketAddress to,
                                               UpstreamTlsPtr tls, std::string_view protocol,
                                               Deadline deadline,
                                               runtime::Interruption* interruption) {
  CO_TRY(socket, co_await runtime::Socket::connect(loop, to, deadline, interruption));
  if (tls == nullptr) co_return std::move(socket);
  if (interruption != nullptr && interruption->is_interrupted()) {
    co_return fail(Error::Code::cancelled, "interrupted before the handshake");
  }
  const std::string name =
      tls->name.empty() && !to.is_unix() ? spillway::to_string(to.ip) : tls->name;
  auto session = runtime::TlsClientContext::connect(tls->context, loop, name);
  {
    const runtime::OnInterruption wait(interruption, [&socket] { socket.interrupt_reader(); });
    auto shaken = co_await socket.start_tls(std::move(session), deadline);
    if (!shaken) co_return fail(blamed(std::move(shaken).error(), to));
  }
  const std::string_view agreed = socket.tls()->protocol();
  const bool is_silent = agreed.empty() && protocol == "http/1.1";
  if (agreed != protocol && !is_silent) {
    co_return fail(blamed(
        {.code = Error::Code::protocol, .detail = "it does not speak " + std::string(protocol)},
        to));
  }
  co_return std::move(socket);
}

}  // namespace spillway::http
