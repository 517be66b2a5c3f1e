// server/exporter_families.h: the metric families that are filled in at a scrape.
#pragma once

#include "server/exporter.h"

namespace spillway::server {

struct Exporter::Families {
  explicit Families(telemetry::Registry& registry);

  const telemetry::Family& service_requests;
  const telemetry::Family& service_in_flight;
  const telemetry::Family& service_queue_length;
  const telemetry::Family& service_queued;
  const telemetry::Family& service_refused;
  const telemetry::Family& service_retries;
  const telemetry::Family& service_retries_refused;
  const telemetry::Family& service_hedges;
  const telemetry::Family& service_hedges_refused;
  const telemetry::Family& service_panic;
  const telemetry::Family& service_sticky_moved;

  const telemetry::Family& endpoint_state;
  const telemetry::Family& endpoint_takes_work;
  const telemetry::Family& endpoint_in_flight;
  const telemetry::Family& endpoint_requests;
  const telemetry::Family& endpoint_failures;
  const telemetry::Family& endpoint_retries;
  const telemetry::Family& endpoint_ejections;
  const telemetry::Family& endpoint_breaker_state;
  const telemetry::Family& endpoint_breaker_openings;
  const telemetry::Family& endpoint_probes;

  const telemetry::Family& replica_state;
  const telemetry::Family& replica_restarts;
  const telemetry::Family& replica_cpu;
  const telemetry::Family& replica_memory;

  const telemetry::Family& worker_turns;
  const telemetry::Family& worker_timers;
  const telemetry::Family& worker_buffers_lent;
  const telemetry::Family& worker_buffers_kept;
  const telemetry::Family& worker_connections;
  const telemetry::Family& worker_silence;

  const telemetry::Family& limit_taken;
  const telemetry::Family& limit_left;
  const telemetry::Family& active_users;

  const telemetry::Family& access_log_bytes;
  const telemetry::Family& access_log_dropped;
  const telemetry::Family& access_log_errors;
  const telemetry::Family& access_log_reopen_failures;
  const telemetry::Family& log_lines;
  const telemetry::Family& log_suppressed;

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

}  // namespace spillway::server
