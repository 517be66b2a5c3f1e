// admin/traffic_meter.h: rates and quantiles of the last seconds, from the process's counters.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "admin/status.h"
#include "base/time.h"
#include "telemetry/registry.h"

namespace spillway::admin {

// Keeps a minute of readings. Fed with snapshots at any pace, best every `reading_pause`; pure. One
// core.
class TrafficMeter {
 public:
  static constexpr Duration reading_pause = 2s;
  static constexpr Duration rate_window = 10s;
  static constexpr Duration latency_window = 60s;

  void read(std::span<const telemetry::FamilySnapshot> families, Instant now);
  // As of the last reading; active_users is left to the caller.
  TrafficStatus traffic() const;

 private:
  struct Reading {
    Instant at;
    uint64_t requests = 0;
    uint64_t answers = 0;
    uint64_t errors = 0;
    double in_flight = 0;
    std::vector<uint64_t> buckets;
  };
  const Reading& before(Duration window) const;

  std::deque<Reading> readings_;  // Oldest first; the first is at most latency_window old.
  std::vector<double> bounds_;
};

}  // namespace spillway::admin
