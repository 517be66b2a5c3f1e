// server/control_actions.cc: what the control API lets people do to a running instance.
#include <fmt/format.h>

#include <algorithm>

#include "server/control.h"

namespace spillway::server {

using gateway::ServiceState;
using runtime::Task;

namespace {

std::unexpected<Error> not_supervised() {
  return fail(Error::Code::permission, "not available: this instance supervises no replicas");
}

std::unexpected<Error> no_service(const std::string& name) {
  return fail(Error::Code::not_found, fmt::format("there is no service \"{}\"", name));
}

std::string restart_fields(const std::vector<plan::Change>& changes) {
  std::string fields;
  for (const plan::Change& change : changes) {
    if (change.restart) fields += (fields.empty() ? "" : ", ") + change.field;
  }
  return fields;
}

// What people turned goes before what the plan says.
void explain_switches(const admin::SwitchesStatus& status, std::string_view route,
                      std::vector<std::string>& steps) {
  constexpr std::string_view live = "live";
  if (status.maintenance.from == live) {
    steps.push_back(status.maintenance.is_on ? "in force now: maintenance, answers 503"
                                             : "in force now: no maintenance");
  }
  for (const admin::SplitEntry& entry : status.splits) {
    if (entry.route != route || entry.from != live) continue;
    steps.push_back(entry.is_off ? fmt::format("in force now: split: {} off", entry.service)
                                 : fmt::format("in force now: split: {} {:.4g}%", entry.service,
                                               entry.share * 100));
  }
}

}  // namespace

Result<gateway::Explanation> Control::explain(const gateway::ExplainQuestion& question) {
  const plan::Plan& plan = server_.plan();
  TRY(explanation, gateway::explain_route(plan.gateway(), question));
  if (!explanation.route) return explanation;
  const gateway::RouteConfig& route = plan.routes[*explanation.route];
  explain_switches(switches(), gateway::route_label(route), explanation.filters);
  if (route.service.empty()) return explanation;  // It needs none.
  gateway::explain_service(route, plan.services.at(explanation.service).cluster, explanation);
  const auto service = server_.services().find(explanation.service);
  for (const upstream::EndpointStatus& endpoint : status_of(*service).endpoints) {
    explanation.endpoints.push_back(
        {endpoint.name, endpoint.address, std::string(to_string(endpoint.state))});
  }
  return std::move(explanation);
}

// Reading the plan's files holds up the control loop for a moment, and no request.
Task<Result<admin::ReloadReport>> Control::reload() {
  if (!options_.load) {
    co_return fail(Error::Code::permission,
                   "not available: this instance was started without a plan file");
  }
  if (is_reloading_) co_return fail(Error::Code::overloaded, "another reload is under way");
  is_reloading_ = true;
  admin::ReloadReport report = co_await apply(options_.load());
  is_reloading_ = false;
  if (report.was_applied) {
    log_.info("plan reloaded", {{"changes", report.changes.size()}});
  } else {
    log_.warn("plan refused; the running plan stays", {{"why", report.refusal}});
  }
  co_return report;
}

Task<admin::ReloadReport> Control::apply(plan::LoadResult loaded) {
  admin::ReloadReport report{.errors = std::move(loaded.errors),
                             .warnings = std::move(loaded.warnings)};
  if (!loaded.plan) {
    report.refusal = fmt::format("the plan has {} error{}; nothing has changed",
                                 report.errors.size(), report.errors.size() == 1 ? "" : "s");
    co_return report;
  }
  report.changes = plan::compare(server_.plan(), *loaded.plan);
  const std::string fields = restart_fields(report.changes);
  if (!fields.empty()) {
    report.refusal = fmt::format(
        "a reload cannot change {}; `spillway upgrade` can. Nothing has changed", fields);
    co_return report;
  }
  auto applied = co_await server_.apply(*loaded.plan);
  if (!applied) {
    report.refusal = applied.error().detail + "; nothing has changed";
    co_return report;
  }
  if (options_.operations != nullptr) options_.operations->apply(server_.plan());
  loaded_at_ = control_.wall_now();
  report.was_applied = true;
  co_return report;
}

Result<admin::DrainReport> Control::set_draining(const std::string& endpoint, bool is_draining) {
  struct Found {
    std::shared_ptr<gateway::Service> service;
    upstream::EndpointStatus endpoint;
  };
  std::vector<Found> found;
  for (const auto& [name, service] : server_.services().services()) {
    for (upstream::EndpointStatus& candidate : status_of(*service).endpoints) {
      const bool is_meant = candidate.name == endpoint || candidate.address == endpoint ||
                            name + "/" + candidate.name == endpoint;
      if (is_meant && candidate.is_listed) found.push_back({service, std::move(candidate)});
    }
  }
  if (found.empty()) {
    return fail(Error::Code::not_found,
                fmt::format("there is no endpoint \"{}\"; `spillway status` lists them", endpoint));
  }
  if (found.size() > 1) {
    std::string names;
    for (const Found& one : found) {
      names +=
          fmt::format("{}{}/{}", names.empty() ? "" : ", ", one.service->name(), one.endpoint.name);
    }
    return fail(Error::Code::invalid, fmt::format("\"{}\" could be {}", endpoint, names),
                Error::Blame::client);
  }
  const Found& one = found.front();
  one.service->with([&](ServiceState& state) {
    if (is_draining) {
      state.cluster.drain(one.endpoint.id);
    } else if (state.cluster.undrain(one.endpoint.id)) {
      state.grant(control_.now(), control_.random());
    }
  });
  log_.info(is_draining ? "endpoint draining by request" : "endpoint undrained by request",
            {{"service", one.service->name()}, {"endpoint", one.endpoint.name}});
  return admin::DrainReport{.service = one.service->name(),
                            .endpoint = one.endpoint.name,
                            .in_flight = one.endpoint.in_flight};
}

std::vector<admin::ClientEntry> Control::clients() {
  return server_.clients().entries(control_.now());
}

Task<Result<void>> Control::change_clients(admin::ClientChange change) {
  CO_TRY_VOID(co_await server_.change_clients(change));
  log_.info(change.list == admin::ClientList::allow ? "client allowed by request"
                                                    : "client denied by request",
            {{"prefix", change.prefix.text()}});
  co_return Result<void>{};
}

Task<Result<void>> Control::forget_client(IpPrefix prefix) {
  CO_TRY_VOID(co_await server_.forget_client(prefix));
  log_.info("client removed from the lists by request", {{"prefix", prefix.text()}});
  co_return Result<void>{};
}

admin::SwitchesStatus Control::switches() { return server_.switchboard().status(control_.now()); }

Task<void> Control::set_maintenance(std::optional<bool> is_on, std::optional<Duration> within) {
  co_await server_.set_maintenance(is_on, within);
  log_.info("maintenance switched by request", {{"on", switches().maintenance.is_on}});
}

Task<Result<void>> Control::set_split(std::string service,
                                      std::optional<gateway::SplitChange> change) {
  CO_TRY_VOID(co_await server_.set_split(service, change));
  log_.info("split changed by request", {{"service", service}});
  co_return Result<void>{};
}

Task<Result<std::vector<std::string>>> Control::deploy(std::optional<std::string> service) {
  if (options_.operations == nullptr) co_return not_supervised();
  std::vector<std::string> names;
  for (const auto& [name, config] : server_.plan().services) {
    if (service ? name == *service : config.is_supervised()) names.push_back(name);
  }
  if (service && names.empty()) co_return no_service(*service);
  if (service && !server_.plan().services.at(*service).is_supervised()) {
    co_return fail(
        Error::Code::permission,
        fmt::format("service \"{}\" has endpoints, not replicas of a command", *service));
  }
  for (const std::string& name : names) CO_TRY_VOID(co_await options_.operations->deploy(name));
  co_return names;
}

Result<void> Control::scale(const std::string& service, uint32_t replicas) {
  if (options_.operations == nullptr) return not_supervised();
  if (!server_.plan().services.contains(service)) return no_service(service);
  return options_.operations->scale(service, replicas);
}

Task<Result<void>> Control::upgrade(std::string program) {
  if (options_.operations == nullptr) co_return not_supervised();
  co_return co_await options_.operations->upgrade(std::move(program));
}

Result<void> Control::stop(bool now) {
  options_.stop(now);
  return {};
}

}  // namespace spillway::server
