// admin/control_listener.cc: the control API's connections from accept to close.
#include "admin/control_listener.h"

#include "admin/control_api.h"
#include "runtime/event.h"

namespace spillway::admin {

using runtime::Task;

namespace {

constexpr Duration accept_pause = 100ms;  // Without a descriptor, asking again at once is no use.

http::ServerLimits control_limits() {
  return {.body_bytes_max = ControlApi::body_bytes_max,
          .head_timeout = 5s,
          .idle_timeout = 60s,
          .body_timeout = 5s,
          .write_timeout = 10s};
}

}  // namespace

ControlListener::ControlListener(runtime::Loop& loop, http::RequestHandler& handler)
    : loop_(loop),
      handler_(handler),
      registry_(loop.core() + 1),
      context_(loop, registry_),
      limits_(control_limits()),
      acceptors_(loop),
      clients_(loop) {}

Result<void> ControlListener::listen(int fd) {
  TRY(listener, runtime::Listener::adopt(loop_, fd));
  acceptors_.spawn(accept_all(listeners_.emplace_back(std::move(listener))));
  return {};
}

Task<void> ControlListener::accept_all(runtime::Listener& listener) {
  while (!is_closing_) {
    auto accepted = co_await listener.accept();
    if (accepted) {
      if (clients_.count() < connections_max) clients_.spawn(serve(std::move(*accepted)));
    } else if (accepted.error().code != Error::Code::cancelled) {
      co_await runtime::sleep(loop_, accept_pause);
    }
  }
  listener.close();
}

Task<void> ControlListener::serve(runtime::Accepted accepted) {
  const http::ClientInfo client{.peer = accepted.peer};
  http::ServerConnection connection(std::move(accepted.socket), client, context_, limits_,
                                    handler_);
  connections_.push_back(connection);
  if (is_closing_) connection.drain();
  co_await connection.run();
}

Task<void> ControlListener::close(Deadline deadline) {
  is_closing_ = true;
  for (runtime::Listener& listener : listeners_) listener.interrupt();
  for (auto* c = connections_.first(); c != nullptr; c = connections_.next(*c)) c->drain();
  if (!co_await clients_.close(deadline)) {
    for (auto* c = connections_.first(); c != nullptr; c = connections_.next(*c)) c->cut();
    (void)co_await clients_.close(Deadline::never());  // What a cut wakes ends at once.
  }
  (void)co_await acceptors_.close(Deadline::never());
}

}  // namespace spillway::admin
