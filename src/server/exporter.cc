// server/exporter.cc: looks at services, workers and the process, and tells the registry.
#include "server/exporter.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "runtime/process_stats.h"
#include "server/exporter_families.h"

namespace spillway::server {

using telemetry::LogLevel;

Exporter::Exporter(runtime::Loop& control, const ExporterParts& parts)
    : control_(control),
      parts_(parts),
      families_(std::make_unique<const Families>(parts.server.registry())),
      collector_(parts.server.registry().add_collector([this](telemetry::Collection& collection) {
        for (const Sample& sample : samples_) {
          collection.set(*sample.family, sample.labels, sample.value);
        }
      })) {}

Exporter::~Exporter() = default;

void Exporter::set(const telemetry::Family& family, telemetry::LabelValues labels, double value) {
  samples_.push_back({&family, std::move(labels), value});
}

void Exporter::set_limit(std::string limit, std::string of, uint64_t taken, uint64_t maximum) {
  const uint64_t left = maximum - std::min(taken, maximum);
  set(families_->process.limit_taken, {limit, of}, static_cast<double>(taken));
  set(families_->process.limit_left, {std::move(limit), std::move(of)}, static_cast<double>(left));
}

void Exporter::gather() {
  samples_.clear();
  for (const auto& [name, service] : parts_.server.services().services()) {
    gather_service(service->with(
        [&](gateway::ServiceState& state) { return state.cluster.status(control_.now()); }));
  }
  for (const auto& [name, limit] : parts_.server.services().limits()) {
    const gateway::RateLimit::Usage usage = limit->usage();
    set_limit("rate_limit_keys", name, usage.keys, usage.keys_max);
    set(families_->process.rate_limit_evictions, {name}, static_cast<double>(usage.evictions));
  }
  const cache::MemoryTier::Usage cached = parts_.server.cache().memory.usage();
  set_limit("cache_bytes", "", cached.bytes, cached.bytes_max);
  set(families_->process.cache_entries, {}, static_cast<double>(cached.entries));
  set(families_->process.cache_evictions, {}, static_cast<double>(cached.evictions));
  const admin::SwitchesStatus switches = parts_.server.switchboard().status(control_.now());
  set(families_->process.maintenance, {}, switches.maintenance.is_on ? 1 : 0);
  for (const admin::SplitEntry& split : switches.splits) {
    set(families_->process.split_share, {split.route, split.service}, split.share);
  }
  gather_workers();
  gather_process();
  gather_access_log();
  gather_logs();
  gather_replicas();
}

void Exporter::gather_service(const upstream::ClusterStatus& status) {
  const Families& f = *families_;
  const upstream::ClusterCounters& counters = status.counters;
  const auto add = [&](const telemetry::Family& family, auto value) {
    set(family, {status.name}, static_cast<double>(value));
  };
  add(f.service.requests, counters.requests);
  add(f.service.in_flight, status.in_flight);
  add(f.service.queue_length, status.queue_length);
  add(f.service.queued, counters.queued);
  add(f.service.retries, counters.retries);
  add(f.service.retries_refused, counters.retries_refused);
  add(f.service.hedges, counters.hedges);
  add(f.service.hedges_refused, counters.hedges_refused);
  add(f.service.panic, status.is_in_panic);
  add(f.service.sticky_moved, counters.sticky_moved);
  const auto refused = [&](const char* reason, uint64_t count) {
    set(f.service.refused, {status.name, reason}, static_cast<double>(count));
  };
  refused("no_endpoints", counters.refused_no_endpoints);
  refused("none_fit", counters.refused_none_fit);
  refused("at_capacity", counters.refused_at_capacity);
  refused("queue_full", counters.queue_full);
  refused("queue_too_late", counters.queue_too_late);
  refused("queue_expired", counters.queue_expired);
  set_limit("queue", status.name, status.queue_length, status.queue_length_max);
  for (const upstream::EndpointStatus& endpoint : status.endpoints) {
    gather_endpoint(status, endpoint);
  }
}

void Exporter::gather_endpoint(const upstream::ClusterStatus& service,
                               const upstream::EndpointStatus& endpoint) {
  const Families& f = *families_;
  const upstream::EndpointCounters& counters = endpoint.counters;
  const auto add = [&](const telemetry::Family& family, auto value) {
    set(family, {service.name, endpoint.name}, static_cast<double>(value));
  };
  const auto add_kind = [&](const telemetry::Family& family, std::string_view kind, auto value) {
    set(family, {service.name, endpoint.name, std::string(kind)}, static_cast<double>(value));
  };
  add_kind(f.endpoint.state, to_string(endpoint.state), 1);
  add(f.endpoint.takes_work, endpoint.takes_work);
  add(f.endpoint.in_flight, endpoint.in_flight);
  add(f.endpoint.requests, counters.requests);
  add_kind(f.endpoint.failures, "connect", counters.failed_connect);
  add_kind(f.endpoint.failures, "response", counters.failed_response);
  add_kind(f.endpoint.failures, "status", counters.failed_status);
  add_kind(f.endpoint.failures, "timeout", counters.timed_out);
  add(f.endpoint.retries, counters.retries);
  add(f.endpoint.ejections, counters.ejections);
  if (endpoint.breaker) add_kind(f.endpoint.breaker_state, to_string(*endpoint.breaker), 1);
  add(f.endpoint.breaker_openings, counters.breaker_openings);
  add_kind(f.endpoint.probes, "good", counters.probes_good);
  add_kind(f.endpoint.probes, "bad", counters.probes_bad);
  if (service.concurrency) {
    set_limit("concurrency", fmt::format("{}/{}", service.name, endpoint.name), endpoint.in_flight,
              *service.concurrency);
  }
}

void Exporter::gather_workers() {
  const Families& f = *families_;
  const std::vector<Pulse>& pulses = parts_.pulses.pulses();
  for (size_t number = 0; number < pulses.size(); ++number) {
    const Pulse& pulse = pulses[number];
    const auto add = [&](const telemetry::Family& family, auto value) {
      set(family, {fmt::format("{}", number)}, static_cast<double>(value));
    };
    add(f.worker.turns, pulse.turns);
    add(f.worker.timers, pulse.timers_armed);
    add(f.worker.buffers_lent, pulse.buffer_bytes_lent);
    add(f.worker.buffers_kept, pulse.buffer_bytes_kept);
    add(f.worker.connections, pulse.connections);
    const Duration silence = parts_.pulses.silence(number, control_.now());
    add(f.worker.silence, static_cast<double>(silence.count()) * 1e-9);
  }
  const runtime::SharedLimit& connections = parts_.server.connections();
  set_limit("connections", "", connections.taken(), connections.maximum());

  std::vector<const telemetry::ActiveUsers*> sketches;
  for (const auto& worker : parts_.server.workers()) sketches.push_back(&worker->active_users());
  set(f.process.active_users, {}, telemetry::ActiveUsers::estimate(sketches, control_.now()));
}

void Exporter::gather_process() {
  const Families& f = *families_;
  set(f.process.build, {parts_.version}, 1);
  set(f.process.soft_checks, {}, static_cast<double>(soft_check_failures()));
  set(f.process.series, {}, static_cast<double>(parts_.server.registry().series_count()));
  set(f.process.series_refused, {}, static_cast<double>(parts_.server.registry().series_refused()));
  const auto process = runtime::read_own_process();
  if (!process) return;
  set(f.process.cpu, {}, static_cast<double>(process->cpu.count()) * 1e-9);
  set(f.process.resident, {}, static_cast<double>(process->resident_bytes));
  set(f.process.virtual_memory, {}, static_cast<double>(process->virtual_bytes));
  set(f.process.open_fds, {}, static_cast<double>(process->open_descriptors));
  set(f.process.max_fds, {}, static_cast<double>(process->descriptors_max));
  set(f.process.start_time, {},
      static_cast<double>(process->started.time_since_epoch().count()) * 1e-9);
  set_limit("descriptors", "", process->open_descriptors, process->descriptors_max);
}

void Exporter::gather_access_log() {
  if (parts_.server.access_log() == nullptr) return;
  const Families& f = *families_;
  const runtime::LineWriter::Status status = parts_.server.access_log()->status();
  set(f.log.access_log_bytes, {}, static_cast<double>(status.bytes_written));
  set(f.log.access_log_dropped, {}, static_cast<double>(status.lines_dropped));
  set(f.log.access_log_errors, {}, static_cast<double>(status.write_errors));
  set(f.log.access_log_reopen_failures, {}, static_cast<double>(status.reopen_failures));
  const size_t buffers = parts_.server.workers().size() + 1;
  set_limit("access_log_bytes", "", status.bytes_waiting,
            buffers * runtime::LineWriterLimits{}.buffer_bytes);
}

void Exporter::gather_logs() {
  for (const LogLevel level : {LogLevel::error, LogLevel::warn, LogLevel::info, LogLevel::debug}) {
    set(families_->log.log_lines, {std::string(to_string(level))},
        static_cast<double>(parts_.log.lines_written(level)));
  }
  set(families_->log.log_suppressed, {}, static_cast<double>(parts_.log.lines_suppressed()));
}

void Exporter::gather_replicas() {
  if (parts_.operations == nullptr) return;
  const Families& f = *families_;
  for (const admin::SupervisedReplica& replica : parts_.operations->replicas()) {
    set(f.replica.state, {replica.service, replica.name, replica.status.state}, 1);
    set(f.replica.restarts, {replica.service, replica.name}, replica.status.restarts);
    if (replica.status.cpu_share) {
      set(f.replica.cpu, {replica.service, replica.name}, *replica.status.cpu_share);
    }
    if (replica.status.resident_bytes) {
      set(f.replica.memory, {replica.service, replica.name},
          static_cast<double>(*replica.status.resident_bytes));
    }
  }
}

std::string metrics_table(const std::vector<telemetry::FamilySnapshot>& families) {
  std::vector<const telemetry::FamilySpec*> specs;
  for (const telemetry::FamilySnapshot& family : families) specs.push_back(&family.spec);
  std::ranges::sort(specs, {}, &telemetry::FamilySpec::name);
  std::string text = "| Family | Type | Labels | Meaning |\n|---|---|---|---|\n";
  for (const telemetry::FamilySpec* spec : specs) {
    const char* type = spec->type == telemetry::MetricType::counter ? "counter"
                       : spec->type == telemetry::MetricType::gauge ? "gauge"
                                                                    : "histogram";
    std::string labels;
    for (const std::string& label : spec->label_names) {
      labels += fmt::format("{}`{}`", labels.empty() ? "" : ", ", label);
    }
    text += fmt::format("| `{}` | {} | {} | {} |\n", spec->name, type, labels, spec->help);
  }
  return text;
}

}  // namespace spillway::server
