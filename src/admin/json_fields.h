// admin/json_fields.h: the members of what the control API sends, listed once for both ways.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "admin/json.h"

namespace spillway::admin {

template <class T, class Value>
concept Of = std::same_as<std::remove_const_t<T>, Value>;

template <class Visit, Of<ListenerStatus> T>
void fields(Visit& visit, T& value) {
  visit("at", value.at);
  visit("bound", value.bound);
}
template <class Visit, Of<LatencyStatus> T>
void fields(Visit& visit, T& value) {
  visit("p50_seconds", value.p50);
  visit("p95_seconds", value.p95);
  visit("p99_seconds", value.p99);
}
template <class Visit, Of<TrafficStatus> T>
void fields(Visit& visit, T& value) {
  visit("requests", value.requests);
  visit("requests_per_second", value.requests_per_second);
  visit("error_share", value.error_share);
  visit("in_flight", value.in_flight);
  visit("active_users", value.active_users);
  visit("latency", value.latency);
}
template <class Visit, Of<ProcessStatus> T>
void fields(Visit& visit, T& value) {
  visit("cpu_seconds", value.cpu);
  visit("resident_bytes", value.resident_bytes);
  visit("descriptors_open", value.descriptors_open);
  visit("descriptors_max", value.descriptors_max);
}
template <class Visit, Of<ReplicaStatus> T>
void fields(Visit& visit, T& value) {
  visit("state", value.state);
  visit("pid", value.pid);
  visit("restarts", value.restarts);
  visit("uptime_seconds", value.uptime);
  visit("cpu_share", value.cpu_share);
  visit("resident_bytes", value.resident_bytes);
  visit("last_error", value.last_error);
}
template <class Visit, Of<EndpointStatus> T>
void fields(Visit& visit, T& value) {
  visit("name", value.name);
  visit("address", value.address);
  visit("state", value.state);
  visit("breaker", value.breaker);
  visit("takes_work", value.takes_work);
  visit("weight", value.weight);
  visit("in_flight", value.in_flight);
  visit("requests", value.requests);
  visit("failures", value.failures);
  visit("ejections", value.ejections);
  visit("last_probe", value.last_probe);
  visit("last_error", value.last_error);
  visit("last_error_ago_seconds", value.last_error_ago);
  visit("replica", value.replica);
}
template <class Visit, Of<ServiceStatus> T>
void fields(Visit& visit, T& value) {
  visit("name", value.name);
  visit("supervised", value.is_supervised);
  visit("balance", value.balance);
  visit("panic", value.is_in_panic);
  visit("in_flight", value.in_flight);
  visit("queue_length", value.queue_length);
  visit("queue_length_max", value.queue_length_max);
  visit("concurrency", value.concurrency);
  visit("requests", value.requests);
  visit("retries", value.retries);
  visit("refused", value.refused);
  visit("endpoints", value.endpoints);
}
template <class Visit, Of<InstanceStatus> T>
void fields(Visit& visit, T& value) {
  visit("name", value.name);
  visit("version", value.version);
  visit("pid", value.pid);
  visit("uptime_seconds", value.uptime);
  visit("plan", value.plan);
  visit("plan_loaded_at", value.plan_loaded_at);
  visit("workers", value.workers);
  visit("draining", value.is_draining);
  visit("listeners", value.listeners);
  visit("admin", value.admin);
  visit("connections_open", value.connections_open);
  visit("connections_max", value.connections_max);
  visit("traffic", value.traffic);
  visit("process", value.process);
  visit("services", value.services);
}
template <class Visit, Of<ComponentCheck> T>
void fields(Visit& visit, T& value) {
  visit("name", value.name);
  visit("good", value.is_good);
  visit("detail", value.detail);
}
template <class Visit, Of<ClientEntry> T>
void fields(Visit& visit, T& value) {
  visit("prefix", value.prefix);
  visit("list", value.list);
  visit("from", value.from);
  visit("left_seconds", value.left);
}
template <class Visit, Of<MaintenanceStatus> T>
void fields(Visit& visit, T& value) {
  visit("on", value.is_on);
  visit("from", value.from);
  visit("left_seconds", value.left);
}
template <class Visit, Of<SplitEntry> T>
void fields(Visit& visit, T& value) {
  visit("route", value.route);
  visit("service", value.service);
  visit("share", value.share);
  visit("planned_share", value.planned);
  visit("off", value.is_off);
  visit("from", value.from);
}
template <class Visit, Of<SwitchesStatus> T>
void fields(Visit& visit, T& value) {
  visit("maintenance", value.maintenance);
  visit("splits", value.splits);
}
template <class Visit, Of<DrainReport> T>
void fields(Visit& visit, T& value) {
  visit("service", value.service);
  visit("endpoint", value.endpoint);
  visit("in_flight", value.in_flight);
}
template <class Visit, Of<plan::Problem> T>
void fields(Visit& visit, T& value) {
  visit("file", value.place.file);
  visit("line", value.place.line);
  visit("column", value.place.column);
  visit("field", value.field);
  visit("message", value.message);
}
template <class Visit, Of<gateway::RoutePassed> T>
void fields(Visit& visit, T& value) {
  visit("number", value.number);
  visit("label", value.label);
  visit("reason", value.reason);
}
template <class Visit, Of<gateway::ExplainedSetting> T>
void fields(Visit& visit, T& value) {
  visit("name", value.first);
  visit("value", value.second);
}
template <class Visit, Of<gateway::ExplainedEndpoint> T>
void fields(Visit& visit, T& value) {
  visit("name", value.name);
  visit("address", value.address);
  visit("state", value.state);
}
template <class Visit, Of<gateway::Explanation> T>
void fields(Visit& visit, T& value) {
  visit("method", value.method);
  visit("host", value.host);
  visit("path", value.path);
  visit("path_received", value.path_received);
  visit("query", value.query);
  visit("refused_status", value.refused_status);
  visit("refusal", value.refusal);
  visit("route", value.route);
  visit("route_label", value.route_label);
  visit("reasons", value.reasons);
  visit("passed", value.passed);
  visit("passed_more", value.passed_more);
  visit("filters", value.filters);
  visit("service", value.service);
  visit("balance", value.balance);
  visit("timeouts", value.timeouts);
  visit("limits", value.limits);
  visit("endpoints", value.endpoints);
}

}  // namespace spillway::admin
