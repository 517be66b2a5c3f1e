// gateway/filters/auth_metrics.h: counts what became of callers' proofs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/metrics.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

// One core's series of spillway_auth_total. A series appears when its verdict is first given.
class AuthMetrics {
 public:
  AuthMetrics(const MetricFamilies& families, uint32_t core) : families_(families), core_(core) {}

  // `method` and `verdict` are literals: a short list of words of ours.
  void count(std::string_view method, std::string_view verdict) {
    const std::pair key(method, verdict);
    auto found = counters_.find(key);
    if (found == counters_.end()) {
      const telemetry::Counter counter = families_.registry.counter(
          families_.auth, {std::string(method), std::string(verdict)}, core_);
      found = counters_.emplace(key, counter).first;
    }
    found->second.add();
  }

 private:
  const MetricFamilies& families_;
  const uint32_t core_;
  std::map<std::pair<std::string_view, std::string_view>, telemetry::Counter> counters_;
};

}  // namespace spillway::gateway
