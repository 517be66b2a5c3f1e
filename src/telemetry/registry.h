// telemetry/registry.h: the metric families of the process and their series, counted per core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "telemetry/cells.h"
#include "telemetry/metric.h"

namespace spillway::telemetry {

enum class MetricType : uint8_t { counter, gauge, histogram };

// What a family is called and means. Names follow the Prometheus data model: base units and a
// suffix (`_seconds`, `_bytes`, `_total` for counters).
struct FamilySpec {
  std::string name;
  std::string help;
  MetricType type = MetricType::counter;
  std::vector<std::string> label_names = {};
  std::vector<double> bounds = {};  // Of a histogram; empty: latency_bounds.
  // Each series costs memory on every core and a line in every scrape. Label sets beyond it are
  // counted together in one series whose labels are all "other".
  size_t series_max = 10'000;

  bool operator==(const FamilySpec&) const = default;
};

// Values in the order of FamilySpec::label_names; each is cut to label_value_bytes_max.
using LabelValues = std::vector<std::string>;
inline constexpr size_t label_value_bytes_max = 256;  // Names are short; a peer's text need not be.

// A family's state at one moment, summed over all cores: plain values for writers and tests.
struct SeriesSnapshot {
  LabelValues labels;
  double value = 0;                    // Of a counter or gauge; of a histogram the sum.
  std::vector<uint64_t> buckets = {};  // Of a histogram, not cumulative; the last is +Inf.
};
struct FamilySnapshot {
  FamilySpec spec;
  std::vector<SeriesSnapshot> series;
};

struct Family;  // Owned by its Registry, which hands out references that live as long as it does.

// Filled by a collector during a snapshot; see Registry::add_collector. The first value of a label
// set stays; label sets beyond the family's series_max are left out.
class Collection {
 public:
  void set(const Family& family, LabelValues labels, double value);

 private:
  friend class Registry;
  std::map<const Family*, std::map<LabelValues, double>> samples_;
};

// All metrics of the process. Any thread; finding a series takes a mutex and may allocate, so it is
// done when a plan is built or a label set is first met, and the reference is kept. Counting then
// touches the caller's own core only. Programming errors (a wrong type, a wrong number of labels,
// two families of one name) are CHECKed.
class Registry {
 public:
  explicit Registry(uint32_t cores);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Finds the family, or creates it. The same name must come with the same spec.
  const Family& family(const FamilySpec& spec);

  // The series' share for `core`, for as long as the registry lives. Only that core may write.
  Counter counter(const Family& family, const LabelValues& labels, uint32_t core);
  Gauge gauge(const Family& family, const LabelValues& labels, uint32_t core);
  Histogram histogram(const Family& family, const LabelValues& labels, uint32_t core);
  GlobalGauge global_gauge(const Family& family, const LabelValues& labels);

  // Calls `collect` at each snapshot, on the thread that takes it, for values that live elsewhere.
  // It must not call the registry. When the returned token is gone, so is the collector, and it
  // is not running. The token must not outlive the registry.
  using Collector = std::function<void(Collection&)>;
  class CollectorToken;
  [[nodiscard]] CollectorToken add_collector(Collector collect);

  // All families in the order of their creation, series sorted by labels.
  std::vector<FamilySnapshot> snapshot();

  // How many requests for a new series were answered with "other".
  uint64_t series_refused() const;
  size_t series_count() const;
  uint32_t cores() const { return cores_; }

 private:
  friend class Scope;
  friend struct Family;
  struct Series;
  // Finds or creates.
  Series& acquire(const Family& family, LabelValues labels, MetricType type)
      __attribute__((requires_capability(mutex_)));
  void release(Series& series) __attribute__((requires_capability(mutex_)));
  Family& own(const Family& family) __attribute__((requires_capability(mutex_)));
  SeriesSnapshot read(const Family& family, const Series& series) const
      __attribute__((requires_capability(mutex_)));
  Cell* cells_of(const Family& family, const LabelValues& labels, MetricType type, size_t lane);
  void remove_collector(std::list<Collector>::iterator position);

  const uint32_t cores_;
  mutable Mutex mutex_;
  CellStore store_ __attribute__((guarded_by(mutex_)));  // One lane per core, one for all threads.
  std::deque<std::unique_ptr<Family>> families_ __attribute__((guarded_by(mutex_)));
  std::list<Collector> collectors_ __attribute__((guarded_by(mutex_)));
  size_t series_count_ __attribute__((guarded_by(mutex_))) = 0;
  uint64_t series_refused_ __attribute__((guarded_by(mutex_))) = 0;
};

class Registry::CollectorToken {
 public:
  CollectorToken(CollectorToken&& other) noexcept;
  CollectorToken& operator=(CollectorToken&&) = delete;
  ~CollectorToken();

 private:
  friend class Registry;
  CollectorToken(Registry& registry, std::list<Collector>::iterator position)
      : registry_(&registry), position_(position) {}
  Registry* registry_;  // Null once moved from.
  std::list<Collector>::iterator position_;
};

// Series that live as long as something that a reload may take away: a plan, a service, an
// endpoint. A series whose last scope ends leaves the next snapshot and its cells are used again,
// so whoever counts through a scope must end before it. A new plan that asks for a series before
// the old plan's scope ends finds it with its count. One thread at a time.
class Scope {
 public:
  explicit Scope(Registry& registry) : registry_(registry) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { retire(); }

  Counter counter(const Family& family, const LabelValues& labels, uint32_t core);
  Gauge gauge(const Family& family, const LabelValues& labels, uint32_t core);
  Histogram histogram(const Family& family, const LabelValues& labels, uint32_t core);
  GlobalGauge global_gauge(const Family& family, const LabelValues& labels);

  // Gives up all series now; nothing that came from this scope may be used any more.
  void retire();

 private:
  Cell* cells_of(const Family& family, const LabelValues& labels, MetricType type, size_t lane);

  Registry& registry_;
  std::vector<Registry::Series*> series_;  // One entry per call: each holds one ownership.
};

}  // namespace spillway::telemetry
