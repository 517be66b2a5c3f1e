// admin/traffic_meter.cc: what of a snapshot is kept, and the differences between two.
#include "admin/traffic_meter.h"

#include <algorithm>
#include <string_view>

#include "admin/latency.h"

namespace spillway::admin {
namespace {

using telemetry::FamilySnapshot;
using telemetry::SeriesSnapshot;

const std::string& label(const FamilySnapshot& family, const SeriesSnapshot& series,
                         std::string_view name) {
  const auto found = std::ranges::find(family.spec.label_names, name);
  return series.labels[static_cast<size_t>(found - family.spec.label_names.begin())];
}

double sum(const FamilySnapshot& family) {
  double total = 0;
  for (const SeriesSnapshot& series : family.series) total += series.value;
  return total;
}

// A series that a reload took away takes its counts with it.
uint64_t grown(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

Duration seconds(double value) { return Duration(static_cast<int64_t>(value * 1e9)); }

}  // namespace

void TrafficMeter::read(std::span<const FamilySnapshot> families, Instant now) {
  Reading reading{.at = now};
  for (const FamilySnapshot& family : families) {
    if (family.spec.name == "spillway_client_requests_total") {
      reading.requests = static_cast<uint64_t>(sum(family));
    } else if (family.spec.name == "spillway_http_requests_in_flight") {
      reading.in_flight = sum(family);
    } else if (family.spec.name == "spillway_http_requests_total") {
      for (const SeriesSnapshot& series : family.series) {
        const auto count = static_cast<uint64_t>(series.value);
        reading.answers += count;
        if (label(family, series, "status_class") == "5xx") reading.errors += count;
      }
    } else if (family.spec.name == "http_request_duration_seconds") {
      bounds_ = family.spec.bounds;
      reading.buckets.assign(bounds_.size() + 1, 0);
      for (const SeriesSnapshot& series : family.series) {
        if (label(family, series, "status_code") == "101") continue;  // As long as the tunnel.
        for (size_t i = 0; i < series.buckets.size(); ++i) reading.buckets[i] += series.buckets[i];
      }
    }
  }
  readings_.push_back(std::move(reading));
  // One reading at or before the window's beginning stays, to count from.
  while (readings_.size() > 2 && readings_[1].at + latency_window <= now) readings_.pop_front();
}

const TrafficMeter::Reading& TrafficMeter::before(Duration window) const {
  const Instant since = readings_.back().at - window;
  for (auto reading = readings_.rbegin(); reading != readings_.rend(); ++reading) {
    if (reading->at <= since) return *reading;
  }
  return readings_.front();
}

TrafficStatus TrafficMeter::traffic() const {
  TrafficStatus result;
  if (readings_.empty()) return result;
  const Reading& last = readings_.back();
  result.requests = last.requests;
  result.in_flight = static_cast<uint64_t>(std::max(0.0, last.in_flight));

  const Reading& rate_from = before(rate_window);
  const auto elapsed = static_cast<double>((last.at - rate_from.at).count()) * 1e-9;
  if (elapsed > 0) {
    result.requests_per_second =
        static_cast<double>(grown(rate_from.requests, last.requests)) / elapsed;
  }
  const uint64_t answers = grown(rate_from.answers, last.answers);
  if (answers > 0) {
    const auto errors = static_cast<double>(grown(rate_from.errors, last.errors));
    result.error_share = std::min(1.0, errors / static_cast<double>(answers));
  }

  const Reading& latency_from = before(latency_window);
  std::vector<uint64_t> counts = last.buckets;
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (i < latency_from.buckets.size()) counts[i] = grown(latency_from.buckets[i], counts[i]);
    total += counts[i];
  }
  if (total > 0) {
    result.latency = LatencyStatus{.p50 = seconds(quantile(bounds_, counts, 0.50)),
                                   .p95 = seconds(quantile(bounds_, counts, 0.95)),
                                   .p99 = seconds(quantile(bounds_, counts, 0.99))};
  }
  return result;
}

}  // namespace spillway::admin
