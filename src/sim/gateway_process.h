// sim/gateway_process.h: the production data plane, unmodified, as one process of a world.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/metrics.h"
#include "gateway/shared_limits.h"
#include "http/via.h"
#include "plan/plan.h"
#include "runtime/blocking_pool.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/resolver.h"
#include "runtime/shared_limit.h"
#include "server/prober.h"
#include "server/service_set.h"
#include "server/worker.h"
#include "sim/subject.h"
#include "sim/world.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::sim {

// A plan with one service "app" at these addresses, and one route to it.
plan::Plan plan_for(const std::vector<SocketAddress>& origins);

// What the server wires together, on loops of a world: workers that share listening address,
// services and limits, and a control loop that applies plans and probes. One simulated host.
class GatewayProcess final : public Subject {
 public:
  GatewayProcess(World& world, HostId host, uint32_t workers, const plan::Plan& plan);
  GatewayProcess(const GatewayProcess&) = delete;
  GatewayProcess& operator=(const GatewayProcess&) = delete;

  void start(const SocketAddress& address) override;
  // Drains as on a graceful stop: requests under way have `shutdown.drain` of the plan.
  void stop() override;
  bool is_idle() const override;
  void check(std::vector<std::string>& failures) const override;

  // A reload: the control loop applies the plan, then each worker gets it by mail.
  void reload(plan::Plan plan);
  runtime::Loop& worker_loop(size_t index) { return *cores_[index].loop; }
  size_t workers() const { return cores_.size(); }
  // Requests over all workers that were still running when a drain's time was up.
  bool had_to_cut() const { return had_to_cut_; }
  // Second attempts sent beside slow first ones, of service "app".
  uint64_t hedges() const;

 private:
  // Warnings are part of the trace, so that a failure can be read.
  class TraceSink final : public telemetry::LogSink {
   public:
    explicit TraceSink(World& world) : world_(world) {}
    void write_line(std::string_view line) override {
      world_.trace().note(world_.now(), std::string(line.substr(0, line.find('\n'))));
    }

   private:
    World& world_;
  };
  // So is the access log.
  class AccessTrace final : public gateway::AccessSink {
   public:
    explicit AccessTrace(TraceSink& sink) : sink_(sink) {}
    void append(std::string_view line) override { sink_.write_line(line); }

   private:
    TraceSink& sink_;
  };
  struct Core {
    std::unique_ptr<runtime::Loop> loop;
    std::unique_ptr<runtime::Gate> gate;
    std::unique_ptr<server::Worker> worker;
  };

  void add_cores(uint32_t count, const plan::Plan& plan);
  server::WorkerPlan worker_plan(const plan::Plan& plan,
                                 std::shared_ptr<const gateway::Routing> routing) const;
  void use(Core& core, const server::WorkerPlan& plan);
  runtime::Task<void> drain(Core& core, Duration limit);
  void check_counts(std::vector<std::string>& failures) const;

  World& world_;
  const HostId host_;
  std::unique_ptr<runtime::Loop> control_;
  TraceSink sink_;
  AccessTrace access_log_{sink_};
  telemetry::Log log_;
  mutable telemetry::Registry registry_;
  gateway::MetricFamilies families_;
  http::Via via_;
  runtime::SharedLimit connections_;
  server::ConnectionsByIp connections_by_ip_;
  // Never asked: no plan of a world has names, or a Redis.
  runtime::BlockingPool pool_{{.threads = 1}};
  runtime::Resolver resolver_{pool_};
  gateway::RedisReach redis_reach_{log_};
  server::ServiceSet services_;
  server::Prober prober_;
  runtime::Gate control_gate_;
  std::vector<Core> cores_;
  size_t drained_ = 0;
  bool is_stopping_ = false;
  bool had_to_cut_ = false;
};

}  // namespace spillway::sim
