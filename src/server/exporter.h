// server/exporter.h: what lies outside the registry's counters, as metrics of a scrape.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "admin/instance_view.h"
#include "server/server.h"
#include "server/worker_pulse.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::server {

// What an Exporter looks at; all outlive it.
struct ExporterParts {
  Server& server;
  const WorkerPulses& pulses;
  const telemetry::Log& log;
  admin::Operations* operations = nullptr;  // Null: nothing is supervised.
  std::string version;
};

// Services and endpoints, workers, the process, and for each limit what is taken and what is left.
// Lives on the control loop.
class Exporter {
 public:
  Exporter(runtime::Loop& control, const ExporterParts& parts);
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;
  ~Exporter();

  // Looks at everything now; the next snapshots of the registry show it. Holds each service's lock
  // for some microseconds per hundred endpoints, so it is for scrapes.
  void gather();

 private:
  struct Families;
  struct Sample {
    const telemetry::Family* family;
    telemetry::LabelValues labels;
    double value;
  };

  void set(const telemetry::Family& family, telemetry::LabelValues labels, double value);
  void set_limit(std::string limit, std::string of, uint64_t taken, uint64_t maximum);
  void gather_service(const upstream::ClusterStatus& status);
  void gather_endpoint(const upstream::ClusterStatus& service,
                       const upstream::EndpointStatus& endpoint);
  void gather_workers();
  void gather_process();
  void gather_access_log();
  void gather_logs();
  void gather_replicas();

  runtime::Loop& control_;
  const ExporterParts parts_;
  const std::unique_ptr<const Families> families_;
  std::vector<Sample> samples_;
  telemetry::Registry::CollectorToken collector_;  // Last: it reads samples_.
};

// A table of all families, for docs/metrics.md: name, type, labels, meaning; sorted by name.
std::string metrics_table(const std::vector<telemetry::FamilySnapshot>& families);

}  // namespace spillway::server
