// cli/status_text.cc: a few lines about the instance, then a table per service.
#include "cli/status_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/human.h"
#include "cli/table.h"

namespace spillway::cli {
namespace {

using admin::EndpointStatus;
using admin::InstanceStatus;
using admin::ServiceStatus;

std::string count(uint64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string traffic_text(const admin::TrafficStatus& traffic, bool is_coloured) {
  std::string errors = fmt::format("{} errors", human_share(traffic.error_share));
  if (traffic.error_share > 0) {
    errors = paint(errors, traffic.error_share < 0.01 ? Colour::yellow : Colour::red, is_coloured);
  }
  std::string text =
      fmt::format("{} req/s, {}, {} in flight, {} in all", human_count(traffic.requests_per_second),
                  errors, traffic.in_flight, human_count(static_cast<double>(traffic.requests)));
  if (traffic.latency) {
    text += fmt::format("; p50 {}, p95 {}, p99 {}", human_duration(traffic.latency->p50),
                        human_duration(traffic.latency->p95), human_duration(traffic.latency->p99));
  }
  return text;
}

std::string listeners_text(const InstanceStatus& status) {
  std::string text;
  for (const admin::ListenerStatus& listener : status.listeners) {
    text += (text.empty() ? "" : ", ") + (listener.bound.empty() ? listener.at : listener.bound);
  }
  return text;
}

std::string head_text(const InstanceStatus& status, bool is_coloured) {
  std::string text = fmt::format(
      "{} {}, pid {}, up {}, {}", paint(status.name, Colour::bold, is_coloured), status.version,
      status.pid, human_duration(status.uptime), count(status.workers, "worker"));
  if (status.is_draining) text += ", " + paint("draining", Colour::yellow, is_coloured);
  text += "\n";
  const auto entry = [&](std::string_view name, std::string_view value) {
    text +=
        paint(fmt::format("  {:<11}", name), Colour::dim, is_coloured) + std::string(value) + "\n";
  };
  entry("plan", fmt::format("{}, loaded {}", status.plan, status.plan_loaded_at));
  entry("listening", listeners_text(status));
  entry("admin", status.admin);
  entry("clients",
        fmt::format("{} of {} connections, about {:.0f} active users", status.connections_open,
                    status.connections_max, status.traffic.active_users));
  entry("traffic", traffic_text(status.traffic, is_coloured));
  entry("process",
        fmt::format("{}, {} of CPU time, {} of {} descriptors",
                    human_bytes(status.process.resident_bytes), human_duration(status.process.cpu),
                    status.process.descriptors_open, status.process.descriptors_max));
  return text;
}

// "timed_out, 3 s ago", or what the last probe said.
Cell last_word(const EndpointStatus& endpoint) {
  const bool is_well = endpoint.state == "healthy" || endpoint.state == "starting";
  const std::string replica_error = endpoint.replica ? endpoint.replica->last_error : "";
  if (!endpoint.last_error.empty() && endpoint.last_error_ago &&
      (!is_well || *endpoint.last_error_ago < 10min)) {
    return {
        fmt::format("{}, {} ago", endpoint.last_error, human_duration(*endpoint.last_error_ago)),
        is_well ? Colour::plain : Colour::red};
  }
  if (!is_well && !replica_error.empty()) return {harmless(replica_error), Colour::red};
  if (!endpoint.last_probe.empty()) return {"probe: " + harmless(endpoint.last_probe)};
  return {};
}

Cell number(uint64_t value, Colour colour = Colour::plain) {
  return {human_count(static_cast<double>(value)), value == 0 ? Colour::plain : colour};
}

std::vector<Cell> row_of(const EndpointStatus& endpoint) {
  const auto breaker = endpoint.breaker.value_or("");
  std::vector<Cell> row = {endpoint.name,
                           endpoint.address == endpoint.name ? Cell() : Cell(endpoint.address),
                           {endpoint.state, colour_of_state(endpoint.state)},
                           {breaker, breaker == "open"        ? Colour::red
                                     : breaker == "half_open" ? Colour::yellow
                                                              : Colour::plain},
                           number(endpoint.in_flight),
                           number(endpoint.requests),
                           number(endpoint.failures, Colour::yellow)};
  if (endpoint.replica) {
    const admin::ReplicaStatus& replica = *endpoint.replica;
    row.push_back(replica.cpu_share ? Cell(human_share(*replica.cpu_share)) : Cell());
    row.push_back(replica.resident_bytes ? Cell(human_bytes(*replica.resident_bytes)) : Cell());
    row.push_back(replica.pid > 0 ? Cell(fmt::format("{}", replica.pid)) : Cell());
    row.push_back(number(replica.restarts, Colour::yellow));
    row.push_back(replica.uptime ? Cell(human_duration(*replica.uptime)) : Cell());
  } else {
    row.insert(row.end(), 5, Cell());
  }
  row.push_back(last_word(endpoint));
  return row;
}

std::string service_text(const ServiceStatus& service, bool is_coloured) {
  std::string text = fmt::format("\n{}  {}, {} in flight, queue {} of {}, {} requests",
                                 paint(service.name, Colour::bold, is_coloured), service.balance,
                                 service.in_flight, service.queue_length, service.queue_length_max,
                                 human_count(static_cast<double>(service.requests)));
  if (service.retries > 0)
    text += fmt::format(", {}", service.retries == 1 ? std::string("1 retry")
                                                     : fmt::format("{} retries", service.retries));
  if (service.refused > 0) {
    text += ", " + paint(fmt::format("{} refused", service.refused), Colour::yellow, is_coloured);
  }
  if (service.is_in_panic)
    text += ", " + paint("PANIC: too few are healthy", Colour::red, is_coloured);
  text += "\n";
  if (service.endpoints.empty()) {
    return text + "  " + paint("no endpoints", Colour::red, is_coloured) + "\n";
  }
  constexpr auto right = Table::Align::right;
  Table table({{.heading = "ENDPOINT"},
               {.heading = "ADDRESS"},
               {.heading = "STATE"},
               {.heading = "BREAKER"},
               {.heading = "IN FLIGHT", .align = right},
               {.heading = "REQUESTS", .align = right},
               {.heading = "FAILURES", .align = right},
               {.heading = "CPU", .align = right},
               {.heading = "MEMORY", .align = right},
               {.heading = "PID", .align = right},
               {.heading = "RESTARTS", .align = right},
               {.heading = "UP", .align = right},
               {.heading = "LAST"}});
  for (const EndpointStatus& endpoint : service.endpoints) table.add(row_of(endpoint));
  return text + table.text(is_coloured, "  ");
}

}  // namespace

Colour colour_of_state(std::string_view state) {
  if (state == "healthy" || state == "ready") return Colour::green;
  if (state == "unhealthy" || state == "ejected" || state == "given_up") return Colour::red;
  return Colour::yellow;
}

std::string status_text(const InstanceStatus& status, bool is_coloured) {
  std::string text = head_text(status, is_coloured);
  for (const ServiceStatus& service : status.services) text += service_text(service, is_coloured);
  return text;
}

}  // namespace spillway::cli
