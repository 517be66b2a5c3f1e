// telemetry/registry.cc: finds, creates, sums up and retires series.
#include "telemetry/registry.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::telemetry {

struct Registry::Series {
  Family* family = nullptr;
  const LabelValues* labels = nullptr;  // The key in the family's map.
  CellStore::Place place;
  size_t owners = 0;       // Scopes, by call.
  bool permanent = false;  // Asked for without a scope.
};

struct Family {
  FamilySpec spec;
  Buckets buckets;
  std::map<LabelValues, Registry::Series> series;

  size_t cells_per_series() const {
    return spec.type == MetricType::histogram ? buckets.bounds().size() + 2 : 1;
  }
};

namespace {

// The Prometheus data model: [a-zA-Z_:][a-zA-Z0-9_:]*, colons only in metric names.
bool is_name(std::string_view text, bool colons) {
  if (text.empty() || is_digit(text.front())) return false;
  return std::ranges::all_of(text, [colons](char c) {
    return is_alpha(c) || is_digit(c) || c == '_' || (colons && c == ':');
  });
}

void check_spec(const FamilySpec& spec) {
  CHECK(is_name(spec.name, true));
  CHECK(spec.series_max > 0);
  for (const std::string& label : spec.label_names) {
    CHECK(is_name(label, false) && !label.starts_with("__"));
    CHECK(spec.type != MetricType::histogram || label != "le");
    CHECK(std::ranges::count(spec.label_names, label) == 1);
  }
}

void cut(LabelValues& labels) {
  for (std::string& label : labels) {
    if (label.size() > label_value_bytes_max) label.resize(label_value_bytes_max);
  }
}

}  // namespace

void Collection::set(const Family& family, LabelValues labels, double value) {
  CHECK(family.spec.type != MetricType::histogram);
  CHECK(labels.size() == family.spec.label_names.size());
  cut(labels);
  std::map<LabelValues, double>& series = samples_[&family];
  if (series.size() < family.spec.series_max) series.try_emplace(std::move(labels), value);
}

Registry::Registry(uint32_t cores) : cores_(cores), store_(size_t{cores} + 1) { CHECK(cores > 0); }

Registry::~Registry() { CHECK(collectors_.empty()); }

const Family& Registry::family(const FamilySpec& spec) {
  check_spec(spec);
  FamilySpec whole = spec;
  if (whole.type == MetricType::histogram && whole.bounds.empty()) {
    whole.bounds.assign(latency_bounds.begin(), latency_bounds.end());
  }
  const Locked lock(mutex_);
  for (const std::unique_ptr<Family>& family : families_) {
    if (family->spec.name != whole.name) continue;
    CHECK(family->spec == whole);
    return *family;
  }
  const Buckets buckets(whole.bounds.empty() ? std::span<const double>(latency_bounds)
                                             : std::span<const double>(whole.bounds));
  families_.push_back(std::make_unique<Family>(Family{std::move(whole), buckets, {}}));
  return *families_.back();
}

Family& Registry::own(const Family& family) {
  for (const std::unique_ptr<Family>& ours : families_) {
    if (ours.get() == &family) return *ours;
  }
  check_failed("a family of this registry", __FILE__, __LINE__);
}

Registry::Series& Registry::acquire(const Family& family, LabelValues labels, MetricType type) {
  Family& ours = own(family);
  CHECK(ours.spec.type == type);
  CHECK(labels.size() == ours.spec.label_names.size());
  cut(labels);
  auto found = ours.series.find(labels);
  if (found == ours.series.end() && ours.series.size() >= ours.spec.series_max) {
    ++series_refused_;
    std::ranges::fill(labels, "other");
    found = ours.series.find(labels);
  }
  if (found == ours.series.end()) {
    found = ours.series.try_emplace(std::move(labels)).first;
    found->second.family = &ours;
    found->second.labels = &found->first;
    found->second.place = store_.allocate(ours.cells_per_series());
    ++series_count_;
  }
  return found->second;
}

void Registry::release(Series& series) {
  CHECK(series.owners > 0);
  if (--series.owners > 0 || series.permanent) return;
  Family& family = *series.family;
  store_.free(series.place, family.cells_per_series());
  family.series.erase(family.series.find(*series.labels));
  --series_count_;
}

Cell* Registry::cells_of(const Family& family, const LabelValues& labels, MetricType type,
                         size_t lane) {
  const Locked lock(mutex_);
  Series& series = acquire(family, labels, type);
  series.permanent = true;
  return store_.at(series.place, lane);
}

Counter Registry::counter(const Family& family, const LabelValues& labels, uint32_t core) {
  CHECK(core < cores_);
  return Counter(*cells_of(family, labels, MetricType::counter, core));
}

Gauge Registry::gauge(const Family& family, const LabelValues& labels, uint32_t core) {
  CHECK(core < cores_);
  return Gauge(*cells_of(family, labels, MetricType::gauge, core));
}

Histogram Registry::histogram(const Family& family, const LabelValues& labels, uint32_t core) {
  CHECK(core < cores_);
  return Histogram(cells_of(family, labels, MetricType::histogram, core), family.buckets);
}

GlobalGauge Registry::global_gauge(const Family& family, const LabelValues& labels) {
  return GlobalGauge(*cells_of(family, labels, MetricType::gauge, cores_));
}

SeriesSnapshot Registry::read(const Family& family, const Series& series) const {
  SeriesSnapshot result{.labels = *series.labels};
  if (family.spec.type != MetricType::histogram) {
    uint64_t sum = 0;
    for (size_t core = 0; core < cores_; ++core)
      sum += store_.at(series.place, core)->load(std::memory_order_relaxed);
    const double set =
        std::bit_cast<double>(store_.at(series.place, cores_)->load(std::memory_order_relaxed));
    const bool is_signed = family.spec.type == MetricType::gauge;
    result.value = set + (is_signed ? static_cast<double>(static_cast<int64_t>(sum))
                                    : static_cast<double>(sum));
    return result;
  }
  result.buckets.resize(family.buckets.bounds().size() + 1);
  for (size_t core = 0; core < cores_; ++core) {
    const Cell* cells = store_.at(series.place, core);
    for (size_t i = 0; i < result.buckets.size(); ++i) {
      result.buckets[i] += cells[i].load(std::memory_order_relaxed);
    }
    result.value +=
        std::bit_cast<double>(cells[result.buckets.size()].load(std::memory_order_relaxed));
  }
  return result;
}

std::vector<FamilySnapshot> Registry::snapshot() {
  const Locked lock(mutex_);
  Collection collected;
  for (const Collector& collect : collectors_) collect(collected);
  std::vector<FamilySnapshot> result;
  result.reserve(families_.size());
  for (const std::unique_ptr<Family>& family : families_) {
    FamilySnapshot& one = result.emplace_back(FamilySnapshot{.spec = family->spec, .series = {}});
    for (const auto& [labels, series] : family->series) {
      one.series.push_back(read(*family, series));
    }
    const auto samples = collected.samples_.find(family.get());
    if (samples == collected.samples_.end()) continue;
    for (const auto& [labels, value] : samples->second) {
      // A repeated label set would make the whole scrape invalid; what is counted here wins.
      if (!family->series.contains(labels)) one.series.push_back({labels, value});
    }
    std::ranges::sort(one.series, {}, &SeriesSnapshot::labels);
  }
  return result;
}

Registry::CollectorToken Registry::add_collector(Collector collect) {
  const Locked lock(mutex_);
  collectors_.push_back(std::move(collect));
  return CollectorToken(*this, std::prev(collectors_.end()));
}

void Registry::remove_collector(std::list<Collector>::iterator position) {
  const Locked lock(mutex_);
  collectors_.erase(position);
}

uint64_t Registry::series_refused() const {
  const Locked lock(mutex_);
  return series_refused_;
}

size_t Registry::series_count() const {
  const Locked lock(mutex_);
  return series_count_;
}

Registry::CollectorToken::CollectorToken(CollectorToken&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)), position_(other.position_) {}

Registry::CollectorToken::~CollectorToken() {
  if (registry_ != nullptr) registry_->remove_collector(position_);
}

Cell* Scope::cells_of(const Family& family, const LabelValues& labels, MetricType type,
                      size_t lane) {
  const Locked lock(registry_.mutex_);
  Registry::Series& series = registry_.acquire(family, labels, type);
  ++series.owners;
  series_.push_back(&series);
  return registry_.store_.at(series.place, lane);
}

Counter Scope::counter(const Family& family, const LabelValues& labels, uint32_t core) {
  CHECK(core < registry_.cores());
  return Counter(*cells_of(family, labels, MetricType::counter, core));
}

Gauge Scope::gauge(const Family& family, const LabelValues& labels, uint32_t core) {
  CHECK(core < registry_.cores());
  return Gauge(*cells_of(family, labels, MetricType::gauge, core));
}

Histogram Scope::histogram(const Family& family, const LabelValues& labels, uint32_t core) {
  CHECK(core < registry_.cores());
  return Histogram(cells_of(family, labels, MetricType::histogram, core), family.buckets);
}

GlobalGauge Scope::global_gauge(const Family& family, const LabelValues& labels) {
  return GlobalGauge(*cells_of(family, labels, MetricType::gauge, registry_.cores()));
}

void Scope::retire() {
  const Locked lock(registry_.mutex_);
  for (Registry::Series* series : series_) registry_.release(*series);
  series_.clear();
}

}  // namespace spillway::telemetry
