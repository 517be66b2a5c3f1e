// server/exporter_families.cc: names, meanings and labels of what is filled in at a scrape.
#include "server/exporter_families.h"

namespace spillway::server {

using telemetry::Family;
using telemetry::MetricType;
using telemetry::Registry;

namespace {

using Labels = std::vector<std::string>;
const Labels by_service = {"service"};
const Labels by_endpoint = {"service", "endpoint"};
const Labels by_replica = {"service", "replica"};
const Labels by_worker = {"worker"};

const Family& counter(Registry& registry, std::string name, std::string help, Labels labels = {}) {
  return registry.family(
      {.name = std::move(name), .help = std::move(help), .label_names = std::move(labels)});
}

const Family& gauge(Registry& registry, std::string name, std::string help, Labels labels = {}) {
  return registry.family({.name = std::move(name),
                          .help = std::move(help),
                          .type = MetricType::gauge,
                          .label_names = std::move(labels)});
}

}  // namespace

ServiceFamilies::ServiceFamilies(Registry& r)
    : requests(
          counter(r, "spillway_service_requests_total",
                  "Requests that asked a service for an endpoint, however often each was tried.",
                  by_service)),
      in_flight(gauge(r, "spillway_service_in_flight",
                      "Attempts under way at all endpoints of a service.", by_service)),
      queue_length(gauge(r, "spillway_service_queue_length",
                         "Requests that wait for a free endpoint.", by_service)),
      queued(counter(r, "spillway_service_queued_total",
                     "Requests that had to wait for a free endpoint.", by_service)),
      refused(
          counter(r, "spillway_service_refused_total",
                  "Picks refused: no_endpoints, none_fit, at_capacity; and of those at capacity "
                  "the queue's: queue_full, queue_too_late, queue_expired.",
                  {"service", "reason"})),
      retries(counter(r, "spillway_service_retries_total", "Attempts beyond a request's first.",
                      by_service)),
      retries_refused(counter(r, "spillway_service_retries_refused_total",
                              "Retries that the budget did not allow.", by_service)),
      hedges(counter(r, "spillway_service_hedges_total", "Second attempts beside a slow first one.",
                     by_service)),
      hedges_refused(counter(r, "spillway_service_hedges_refused_total",
                             "Hedges that the budget did not allow.", by_service)),
      panic(gauge(r, "spillway_service_panic",
                  "1 while so few endpoints are healthy that all are used.", by_service)),
      sticky_moved(counter(r, "spillway_service_sticky_moved_total",
                           "Requests whose cookie named an endpoint that was not fit.",
                           by_service)) {}

EndpointFamilies::EndpointFamilies(Registry& r)
    : state(gauge(r, "spillway_endpoint_state",
                  "1 for the state that an endpoint is in: starting, healthy, unhealthy, "
                  "ejected, draining.",
                  {"service", "endpoint", "state"})),
      takes_work(gauge(r, "spillway_endpoint_takes_work", "1 if an endpoint could be picked now.",
                       by_endpoint)),
      in_flight(gauge(r, "spillway_endpoint_in_flight", "Attempts under way.", by_endpoint)),
      requests(counter(r, "spillway_endpoint_requests_total",
                       "Attempts sent to an endpoint, retries and hedges included.", by_endpoint)),
      failures(counter(r, "spillway_endpoint_failures_total",
                       "Attempts that failed: connect, response (broken off), status "
                       "(500 and above), timeout.",
                       {"service", "endpoint", "kind"})),
      retries(counter(r, "spillway_endpoint_retries_total",
                      "Attempts for requests that other endpoints had failed.", by_endpoint)),
      ejections(counter(r, "spillway_endpoint_ejections_total",
                        "Times an endpoint was left out for failing requests.", by_endpoint)),
      breaker_state(gauge(r, "spillway_endpoint_breaker_state",
                          "1 for the state of an endpoint's breaker: closed, open, "
                          "half_open. Absent without one.",
                          {"service", "endpoint", "state"})),
      breaker_openings(counter(r, "spillway_endpoint_breaker_openings_total",
                               "Times an endpoint's breaker opened.", by_endpoint)),
      probes(counter(r, "spillway_endpoint_probes_total", "Health probes by result: good, bad.",
                     {"service", "endpoint", "result"})) {}

ReplicaFamilies::ReplicaFamilies(Registry& r)
    : state(gauge(r, "spillway_replica_state",
                  "1 for the state that a supervised replica is in: waiting, starting, "
                  "ready, draining, stopping, given_up.",
                  {"service", "replica", "state"})),
      restarts(counter(r, "spillway_replica_restarts_total",
                       "Times a replica was started again after it ended by itself.", by_replica)),
      cpu(gauge(r, "spillway_replica_cpu_cores",
                "Cores that a replica's processes use, over the last seconds.", by_replica)),
      memory(gauge(r, "spillway_replica_resident_bytes",
                   "Resident memory of a replica's processes.", by_replica)) {}

WorkerFamilies::WorkerFamilies(Registry& r)
    : turns(
          counter(r, "spillway_worker_turns_total", "Turns of a worker's event loop.", by_worker)),
      timers(gauge(r, "spillway_worker_timers", "Timers armed in a worker's loop.", by_worker)),
      buffers_lent(gauge(r, "spillway_worker_buffers_lent_bytes",
                         "Buffers that requests under way have borrowed.", by_worker)),
      buffers_kept(gauge(r, "spillway_worker_buffers_kept_bytes",
                         "Free buffers kept for the next requests.", by_worker)),
      connections(
          gauge(r, "spillway_worker_connections", "Client connections of a worker.", by_worker)),
      silence(gauge(r, "spillway_worker_silence_seconds",
                    "How long a worker has owed an answer to a question by mail.", by_worker)) {}

LogFamilies::LogFamilies(Registry& r)
    : access_log_bytes(
          counter(r, "spillway_access_log_bytes_total", "Bytes written to the access log.")),
      access_log_dropped(counter(r, "spillway_access_log_lines_dropped_total",
                                 "Access log lines dropped: buffer full, or a failed write.")),
      access_log_errors(
          counter(r, "spillway_access_log_write_errors_total", "Failed writes to the access log.")),
      access_log_reopen_failures(counter(r, "spillway_access_log_reopen_failures_total",
                                         "Times the access log could not be opened anew.")),
      log_lines(counter(r, "spillway_log_lines_total", "Lines of our own log.", {"level"})),
      log_suppressed(counter(r, "spillway_log_lines_suppressed_total",
                             "Lines of our own log left out as repetitions.")) {}

ProcessFamilies::ProcessFamilies(Registry& r)
    : limit_taken(gauge(r, "spillway_limit_taken",
                        "What is taken of a limit: connections, descriptors, and per service or "
                        "endpoint queue and concurrency; access_log_bytes; per rate limit its "
                        "rate_limit_keys; cache_bytes of the memory cache.",
                        {"limit", "of"})),
      limit_left(
          gauge(r, "spillway_limit_left", "What is left of the same limits.", {"limit", "of"})),
      rate_limit_evictions(counter(r, "spillway_rate_limit_evictions_total",
                                   "Clients that a rate limit forgot too early because `keys` of "
                                   "them were known.",
                                   {"limit"})),
      cache_entries(gauge(r, "spillway_cache_entries", "Answers in the memory cache.")),
      cache_evictions(counter(r, "spillway_cache_evictions_total",
                              "Answers that left the memory cache for others.")),
      maintenance(
          gauge(r, "spillway_maintenance", "1 while everybody is told to come back later.")),
      split_share(gauge(r, "spillway_split_share",
                        "The share of a route's clients that a service gets, of one, as the plan "
                        "or `spillway split` has it.",
                        {"route", "service"})),
      active_users(gauge(r, "active_users_total",
                         "Different clients in the last five minutes, estimated to 2 %.")),
      build(gauge(r, "spillway_build_info", "1; the label tells the version.", {"version"})),
      soft_checks(counter(r, "spillway_soft_check_failures_total",
                          "Failed checks of our own logic that did not end the program. Each is "
                          "a bug: please report it.")),
      series(gauge(r, "spillway_metric_series", "Series of counters, gauges and histograms.")),
      series_refused(counter(r, "spillway_metric_series_refused_total",
                             "New series counted together as \"other\" because of a limit.")),
      cpu(counter(r, "process_cpu_seconds_total", "User and system time of this process.")),
      resident(gauge(r, "process_resident_memory_bytes", "Resident memory of this process.")),
      virtual_memory(gauge(r, "process_virtual_memory_bytes", "Virtual memory of this process.")),
      open_fds(gauge(r, "process_open_fds", "Open file descriptors.")),
      max_fds(gauge(r, "process_max_fds", "The most file descriptors that may be open.")),
      start_time(gauge(r, "process_start_time_seconds",
                       "When this process started, in seconds since 1970.")) {}

}  // namespace spillway::server
