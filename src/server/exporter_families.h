// server/exporter_families.h: the metric families that are filled in at a scrape.
#pragma once

#include "server/exporter.h"

namespace spillway::server {

// What services do, by service.
struct ServiceFamilies {
  explicit ServiceFamilies(telemetry::Registry& r);

  const telemetry::Family& requests;
  const telemetry::Family& in_flight;
  const telemetry::Family& queue_length;
  const telemetry::Family& queued;
  const telemetry::Family& refused;
  const telemetry::Family& retries;
  const telemetry::Family& retries_refused;
  const telemetry::Family& hedges;
  const telemetry::Family& hedges_refused;
  const telemetry::Family& panic;
  const telemetry::Family& sticky_moved;
};

// Each endpoint, by service and endpoint.
struct EndpointFamilies {
  explicit EndpointFamilies(telemetry::Registry& r);

  const telemetry::Family& state;
  const telemetry::Family& takes_work;
  const telemetry::Family& in_flight;
  const telemetry::Family& requests;
  const telemetry::Family& failures;
  const telemetry::Family& retries;
  const telemetry::Family& ejections;
  const telemetry::Family& breaker_state;
  const telemetry::Family& breaker_openings;
  const telemetry::Family& probes;
};

// Supervised replicas, by service and replica.
struct ReplicaFamilies {
  explicit ReplicaFamilies(telemetry::Registry& r);

  const telemetry::Family& state;
  const telemetry::Family& restarts;
  const telemetry::Family& cpu;
  const telemetry::Family& memory;
};

// Each core.
struct WorkerFamilies {
  explicit WorkerFamilies(telemetry::Registry& r);

  const telemetry::Family& turns;
  const telemetry::Family& timers;
  const telemetry::Family& buffers_lent;
  const telemetry::Family& buffers_kept;
  const telemetry::Family& connections;
  const telemetry::Family& silence;
};

// The access log and our own.
struct LogFamilies {
  explicit LogFamilies(telemetry::Registry& r);

  const telemetry::Family& access_log_bytes;
  const telemetry::Family& access_log_dropped;
  const telemetry::Family& access_log_errors;
  const telemetry::Family& access_log_reopen_failures;
  const telemetry::Family& log_lines;
  const telemetry::Family& log_suppressed;
};

// This process, its limits and its clients.
struct ProcessFamilies {
  explicit ProcessFamilies(telemetry::Registry& r);

  const telemetry::Family& limit_taken;
  const telemetry::Family& limit_left;
  const telemetry::Family& rate_limit_evictions;
  const telemetry::Family& cache_entries;
  const telemetry::Family& cache_evictions;
  const telemetry::Family& maintenance;
  const telemetry::Family& split_share;
  const telemetry::Family& active_users;
  const telemetry::Family& build;
  const telemetry::Family& soft_checks;
  const telemetry::Family& series;
  const telemetry::Family& series_refused;
  const telemetry::Family& cpu;
  const telemetry::Family& resident;
  const telemetry::Family& virtual_memory;
  const telemetry::Family& open_fds;
  const telemetry::Family& max_fds;
  const telemetry::Family& start_time;
};

struct Exporter::Families {
  explicit Families(telemetry::Registry& registry)
      : service(registry),
        endpoint(registry),
        replica(registry),
        worker(registry),
        log(registry),
        process(registry) {}

  const ServiceFamilies service;
  const EndpointFamilies endpoint;
  const ReplicaFamilies replica;
  const WorkerFamilies worker;
  const LogFamilies log;
  const ProcessFamilies process;
};

}  // namespace spillway::server
