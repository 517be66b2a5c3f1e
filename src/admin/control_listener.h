// admin/control_listener.h: accepts and serves the clients of the control API.
#pragma once

#include <cstdint>
#include <list>

#include "base/error.h"
#include "base/intrusive_list.h"
#include "http/exchange.h"
#include "http/server_connection.h"
#include "runtime/gate.h"
#include "runtime/listener.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "telemetry/registry.h"

namespace spillway::admin {

// Serves a few clients on the control loop. Its own counts stay out of the process's metrics, which
// tell of the application's clients. One core.
class ControlListener {
 public:
  // A dashboard, a scraper and some commands; a further client is closed at once.
  static constexpr uint64_t connections_max = 64;

  ControlListener(runtime::Loop& loop, http::RequestHandler& handler);
  ControlListener(const ControlListener&) = delete;
  ControlListener& operator=(const ControlListener&) = delete;

  // Accepts on `fd`, a listening socket that this now owns.
  Result<void> listen(int fd);
  // Accepts no more, lets answers under way end and cuts the rest at the deadline.
  runtime::Task<void> close(Deadline deadline);

 private:
  runtime::Task<void> accept_all(runtime::Listener& listener);
  runtime::Task<void> serve(runtime::Accepted accepted);

  runtime::Loop& loop_;
  http::RequestHandler& handler_;
  telemetry::Registry registry_;
  http::ServerContext context_;
  const http::ServerLimits limits_;
  std::list<runtime::Listener> listeners_;
  IntrusiveList<http::ServerConnection> connections_;
  runtime::Gate acceptors_;
  runtime::Gate clients_;
  bool is_closing_ = false;
};

}  // namespace spillway::admin
