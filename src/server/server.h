// server/server.h: builds the modules from a plan, runs the workers, reloads and drains them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "gateway/metrics.h"
#include "gateway/shared_limits.h"
#include "http/via.h"
#include "plan/plan.h"
#include "runtime/core_threads.h"
#include "runtime/gate.h"
#include "runtime/line_writer.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/shared_limit.h"
#include "runtime/task.h"
#include "server/build_keeper.h"
#include "server/certificates.h"
#include "server/client_lists.h"
#include "server/connections_by_ip.h"
#include "server/identities.h"
#include "server/key_fetcher.h"
#include "server/page_files.h"
#include "server/prober.h"
#include "server/service_set.h"
#include "server/switchboard.h"
#include "server/upstream_certificates.h"
#include "server/worker.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::server {

// The listening sockets of one entry of the plan's `listen`, owned by whoever takes them.
struct ListeningSockets {
  std::vector<int> fds;  // One per worker, or one that all workers share.
};

// The data plane and what steers it. Lives on the control loop, which is not a worker's: a scrape
// or a reload never delays a request. All member functions are called there.
class Server {
 public:
  using LoopFactory = std::function<std::unique_ptr<runtime::Loop>(uint32_t core)>;

  // `make_loop` makes the workers' loops, cores 0 and up; the control loop is the core after them.
  Server(runtime::Loop& control, telemetry::Registry& registry, telemetry::Log& log,
         runtime::Resolver& resolver, const plan::Plan& plan, const LoopFactory& make_loop);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  static uint32_t worker_count(const plan::Plan& plan);

  // What may fail for a reason that the next try will find again: the access log is opened. Before
  // the supervisor is told that we are ready.
  Result<void> prepare();
  // Accepts on `sockets` (one entry per `listen`) and starts probing. REQUIRES: prepare().
  Result<void> start(const std::vector<ListeningSockets>& sockets);
  // Threads for the workers' loops; the simulator steps them itself instead.
  void run_workers();

  // Applies a plan whole: requests under way keep the old one. Only live fields may differ. Error:
  // io, when the access log cannot be opened; nothing has changed then.
  runtime::Task<Result<void>> apply(const plan::Plan& plan);
  // The most that descriptors allow, whatever the plan says.
  void limit_connections(uint64_t most);
  // The certificates' files have changed: new handshakes use what is there now. An error leaves the
  // old ones in use.
  runtime::Task<Result<void>> reload_certificates();
  Certificates& certificates() { return certificates_; }
  bool have_certificates_changed() {
    const bool ours = certificates_.has_changed();
    return upstreams_.has_changed() || ours;
  }
  // An edit of the allowed and denied clients, in force on all workers when this is done. Errors as
  // ClientLists says.
  runtime::Task<Result<void>> change_clients(admin::ClientChange change);
  runtime::Task<Result<void>> forget_client(IpPrefix prefix);
  // The file of countries has changed. An error leaves the old one in use.
  runtime::Task<Result<void>> reload_countries();
  ClientLists& clients() { return clients_; }
  // Turned for all workers when this is done. Errors as Switchboard says.
  runtime::Task<void> set_maintenance(std::optional<bool> is_on, std::optional<Duration> within);
  runtime::Task<Result<void>> set_split(std::string service,
                                        std::optional<gateway::SplitChange> change);
  const Switchboard& switchboard() const { return switchboard_; }
  // After USR1.
  void reopen_logs();
  // False: connections had to be cut at the deadline.
  runtime::Task<bool> drain(Deadline deadline);

  bool is_draining() const { return is_draining_; }
  ServiceSet& services() { return services_; }
  const plan::Plan& plan() const { return services_.plan(); }
  Prober& prober() { return prober_; }
  telemetry::Registry& registry() { return registry_; }
  const runtime::SharedLimit& connections() const { return connections_; }
  gateway::SharedCache& cache() { return cache_; }
  const runtime::LineWriter* access_log() const { return access_log_.get(); }
  const std::vector<std::unique_ptr<Worker>>& workers() const { return workers_; }

 private:
  WorkerPlan worker_plan(std::shared_ptr<const gateway::Routing> routing) const;
  void show_certificates();
  runtime::Task<void> tell_client_rules();
  runtime::Task<void> tell_switches();
  FilesRead files_read() const {
    return {.identity = identities_.rules(), .pages = pages_, .tls = upstreams_.services()};
  }
  Result<void> open_access_log(const AccessLogConfig& config);
  // Runs `function` on every worker's core and waits until all have.
  runtime::Task<void> on_all_workers(std::function<void(Worker&)> function);
  runtime::Task<void> use_fetched_keys(std::shared_ptr<const identity::KeySet> keys);
  static runtime::Task<void> drain_worker(Worker& worker, Deadline deadline,
                                          std::function<void(bool)> done);

  runtime::Loop& control_;
  telemetry::Registry& registry_;
  telemetry::Log& log_;
  const gateway::MetricFamilies families_;
  const http::Via via_;
  runtime::Resolver& resolver_;
  gateway::RedisReach redis_reach_;
  runtime::SharedLimit connections_;
  uint64_t connections_most_ = UINT64_MAX;
  ServiceSet services_;
  ConnectionsByIp connections_by_ip_;
  Certificates certificates_;
  UpstreamCertificates upstreams_;
  ClientLists clients_;
  std::shared_ptr<const gateway::ClientRules> client_rules_;
  Switchboard switchboard_;
  std::shared_ptr<const gateway::Switches> switches_;
  Identities identities_;
  std::shared_ptr<const gateway::Pages> pages_;
  KeyFetcher key_fetcher_;
  Prober prober_;
  gateway::SharedCache cache_;
  runtime::BlockingPool file_pool_;  // Gone after the workers, who await it.
  BuildKeeper build_keeper_;
  std::unique_ptr<telemetry::Scope> certificate_series_;  // Of the certificates in use.
  std::unique_ptr<runtime::LineWriter> access_log_;
  std::vector<std::unique_ptr<runtime::LineWriter>> retired_logs_;  // Until no worker uses them.
  std::vector<std::unique_ptr<runtime::Loop>> loops_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<runtime::Gate>> drains_;  // One on each worker's loop.
  runtime::Gate tasks_;
  runtime::CoreThreads threads_;
  bool is_draining_ = false;
};

}  // namespace spillway::server
