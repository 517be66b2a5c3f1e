// server/worker.h: one core: its listeners, its clients' connections, its gateway.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/intrusive_list.h"
#include "base/time.h"
#include "gateway/gateway.h"
#include "gateway/shared_limits.h"
#include "http/exchange.h"
#include "http/server_connection.h"
#include "runtime/gate.h"
#include "runtime/line_writer.h"
#include "runtime/listener.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/shared_limit.h"
#include "runtime/tls_context.h"
#include "server/config.h"
#include "server/connections_by_ip.h"
#include "server/tls_metrics.h"
#include "telemetry/active_users.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::server {

// What the workers of a process share. Outlives them.
struct WorkerShared {
  telemetry::Registry& registry;
  telemetry::Log& log;
  const gateway::MetricFamilies& families;
  const http::Via& via;
  runtime::SharedLimit& connections;
  ConnectionsByIp& connections_by_ip;
  std::function<void()> want_keys;  // Of a token's issuer; any thread. May be null.
  runtime::Resolver& resolver;
  gateway::RedisReach& redis_reach;
  runtime::BlockingPool* file_pool = nullptr;  // Where files are looked at. Null: no plan has any.
  gateway::SharedCache* cache = nullptr;       // Null: no plan has any.
};

// What a plan says to a worker. Replaced as a whole by a reload.
struct WorkerPlan {
  std::shared_ptr<const gateway::Routing> routing;
  http::ServerLimits limits;
  runtime::LineWriter* access_log = nullptr;             // Null: off.
  std::shared_ptr<const runtime::TlsServerContext> tls;  // Null: no https listener.
  Duration handshake_timeout{};
  std::shared_ptr<const gateway::ClientRules> client_rules;  // Null: all clients are served.
  std::shared_ptr<const gateway::Switches> switches;         // Null: all is as the plan says.
};

// Serves on one loop. All member functions are called on that loop, or before it runs.
class Worker {
 public:
  Worker(runtime::Loop& loop, const WorkerShared& shared, const gateway::ProxyOptions& proxy,
         const WorkerPlan& plan);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Accepts clients on `fd`, a listening socket that this now owns.
  // `redirect_port`: of https, for a listener that redirects there; else 0.
  Result<void> listen(int fd, const ListenConfig& config, uint16_t redirect_port);
  void use(const WorkerPlan& plan);
  void use(const std::shared_ptr<const gateway::ClientRules>& rules);
  void use(const std::shared_ptr<const gateway::Switches>& switches);
  const WorkerPlan& plan() const { return plan_; }
  // Accepts no more. Sockets stay open in whoever else holds them.
  void stop_accepting();
  // Lets requests under way end, closes idle connections, cuts what is left at `deadline`.
  // False: something had to be cut.
  runtime::Task<bool> drain(Deadline deadline);

  runtime::Loop& loop() { return loop_; }
  gateway::Gateway& gateway() { return gateway_; }
  const telemetry::ActiveUsers& active_users() const { return active_users_; }
  uint64_t connections() const { return clients_.count(); }

 private:
  // The access log as this core writes it.
  class CoreLog final : public gateway::AccessSink {
   public:
    explicit CoreLog(uint32_t core) : core_(core) {}
    void append(std::string_view line) override { writer->append(core_, line); }
    runtime::LineWriter* writer = nullptr;

   private:
    uint32_t core_;
  };
  struct Port {
    runtime::Listener listener;
    const ListenConfig config;
    const uint16_t number;
    const uint16_t redirect_port;
  };
  struct Metrics {
    Metrics(telemetry::Registry& registry, uint32_t core);
    telemetry::Counter accepted;
    telemetry::Counter refused;
    telemetry::Counter refused_by_ip;
    telemetry::Counter accept_pauses;
    telemetry::Counter bad_proxy_headers;
    telemetry::Gauge open;
  };

  runtime::Task<void> accept_all(Port& port);
  runtime::Task<void> serve_client(runtime::Accepted accepted, const Port& port);
  // False: the client has as many connections as clients.connections lets it have. Else `place` is
  // its place among them, or nothing if it is not counted.
  bool take_place(const IpAddress& client, std::optional<ConnectionsByIp::Place>& place);
  runtime::Task<void> turn_away(runtime::Accepted accepted);
  // Whether the connection goes on. What the handshake told of the client comes into `client`,
  // whose certificate lies in `certificate`.
  runtime::Task<bool> shake_hands(runtime::Socket& socket, http::ClientInfo& client,
                                  runtime::Buffer received, std::string& certificate);
  runtime::Task<void> answer_plainly(runtime::Socket& socket, std::string_view answer);
  runtime::Task<bool> read_proxy_header(runtime::Socket& socket, http::ClientInfo& client,
                                        runtime::Buffer& received);

  runtime::Loop& loop_;
  WorkerShared shared_;
  Metrics metrics_;
  TlsMetrics tls_metrics_;
  CoreLog access_log_;
  telemetry::ActiveUsers active_users_;
  WorkerPlan plan_;
  http::ServerContext context_;
  gateway::SharedLimits shared_limits_;
  gateway::Gateway gateway_;
  std::list<Port> ports_;
  IntrusiveList<http::ServerConnection> connections_;
  runtime::Gate acceptors_;
  runtime::Gate clients_;
  bool is_accepting_ = true;
  bool is_draining_ = false;
};

}  // namespace spillway::server
