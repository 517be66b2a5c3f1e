// sim/gateway_process.cc: wiring workers as the server does, and what must be left of them.
#include "sim/gateway_process.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"

namespace spillway::sim {

using runtime::Task;

plan::Plan plan_for(const std::vector<SocketAddress>& origins) {
  plan::Plan plan;
  plan::Service service;
  for (const SocketAddress& origin : origins) {
    service.endpoints.push_back({.address = {.name = {}, .socket = origin}});
  }
  plan.services = {{"app", service}};
  gateway::RouteConfig route;
  route.service = "app";
  plan.routes = {route};
  return plan;
}

GatewayProcess::GatewayProcess(World& world, HostId host, uint32_t workers, const plan::Plan& plan)
    : world_(world),
      host_(host),
      control_(world.make_loop(host, workers)),
      sink_(world),
      log_(
          sink_, [&world] { return world.wall_now(); }, telemetry::LogLevel::warn,
          telemetry::LogFormat::human),
      registry_(workers + 1),
      families_(registry_),
      via_("sim"),
      connections_(plan.resources.connections),
      services_(*control_),
      prober_(*control_, services_, log_),
      control_gate_(*control_) {
  add_cores(workers, plan);
}

uint64_t GatewayProcess::hedges() const {
  return services_.find("app")->with([this](gateway::ServiceState& state) {
    return state.cluster.status(world_.now()).counters.hedges;
  });
}

void GatewayProcess::add_cores(uint32_t count, const plan::Plan& plan) {
  const server::WorkerPlan first = worker_plan(plan, services_.apply(plan));
  const server::WorkerShared shared{registry_, log_,         families_,
                                    via_,      connections_, connections_by_ip_,
                                    nullptr,   resolver_,    redis_reach_};
  const gateway::ProxyOptions proxy{.body_kept_max = plan.request.kept_for_retries.bytes};
  for (uint32_t core = 0; core < count; ++core) {
    Core& added = cores_.emplace_back();
    added.loop = world_.make_loop(host_, core);
    added.gate = std::make_unique<runtime::Gate>(*added.loop);
    added.worker = std::make_unique<server::Worker>(*added.loop, shared, proxy, first);
    use(added, first);
  }
}

server::WorkerPlan GatewayProcess::worker_plan(
    const plan::Plan& plan, std::shared_ptr<const gateway::Routing> routing) const {
  return {.routing = std::move(routing),
          .limits = {.body_bytes_max = plan.request.body.bytes,
                     .head_timeout = plan.connections.head_timeout,
                     .idle_timeout = plan.connections.idle_timeout,
                     .body_timeout = plan.connections.body_timeout,
                     .body_rate_min = plan.connections.body_rate.bytes,
                     .write_timeout = plan.connections.write_timeout}};
}

void GatewayProcess::start(const SocketAddress& address) {
  server::ListenConfig config;
  config.at.socket = address;
  for (Core& core : cores_) {
    const int fd = world_.network().listen(host_, address);
    CHECK(fd >= 0 && core.worker->listen(fd, config, 0).has_value());
  }
  control_gate_.spawn(prober_.run());
}

void GatewayProcess::reload(plan::Plan plan) {
  control_->post([this, plan = std::move(plan)] {
    const server::WorkerPlan next = worker_plan(plan, services_.apply(plan));
    prober_.wake();
    for (Core& core : cores_) core.loop->post([this, &core, next] { use(core, next); });
  });
}

void GatewayProcess::use(Core& core, const server::WorkerPlan& plan) {
  core.worker->use(plan);
  core.worker->gateway().set_access_log(&access_log_);
}

void GatewayProcess::stop() {
  if (std::exchange(is_stopping_, true)) return;
  const Duration limit = services_.plan().shutdown.drain;
  control_->post([this] { prober_.stop(); });
  for (Core& core : cores_) {
    core.loop->post([this, &core, limit] { core.gate->spawn(drain(core, limit)); });
  }
}

Task<void> GatewayProcess::drain(Core& core, Duration limit) {
  had_to_cut_ |= !co_await core.worker->drain(Deadline::after(core.loop->now(), limit));
  ++drained_;
}

bool GatewayProcess::is_idle() const {
  return drained_ == cores_.size() && control_gate_.count() == 0;
}

void GatewayProcess::check(std::vector<std::string>& failures) const {
  for (const Core& core : cores_) {
    if (core.worker->connections() > 0) {
      failures.push_back(fmt::format("worker {} still has clients", core.loop->core()));
    }
    if (core.loop->buffers().bytes_lent() != 0) {
      failures.push_back(fmt::format("worker {} has lent buffers", core.loop->core()));
    }
    if (core.loop->timers_armed() > 1) {  // The pool's sweep ends by itself.
      failures.push_back(fmt::format("worker {} has {} timers armed", core.loop->core(),
                                     core.loop->timers_armed()));
    }
  }
  if (connections_.taken() != 0) {
    failures.push_back(fmt::format("{} client connections counted as open", connections_.taken()));
  }
  check_counts(failures);
}

void GatewayProcess::check_counts(std::vector<std::string>& failures) const {
  for (const auto& [name, service] : services_.services()) {
    const upstream::ClusterStatus status = service->with(
        [this](gateway::ServiceState& state) { return state.cluster.status(control_->now()); });
    if (status.in_flight != 0 || status.queue_length != 0) {
      failures.push_back(fmt::format("service {}: {} in flight, {} queued", name, status.in_flight,
                                     status.queue_length));
    }
  }
  for (const telemetry::FamilySnapshot& family : registry_.snapshot()) {
    if (family.spec.type != telemetry::MetricType::gauge) continue;
    for (const telemetry::SeriesSnapshot& series : family.series) {
      if (series.value == 0) continue;
      failures.push_back(fmt::format("gauge {} stands at {}", family.spec.name, series.value));
    }
  }
}

}  // namespace spillway::sim
