// telemetry/metric.h: counters, gauges and histograms as the hot path sees them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"

namespace spillway::telemetry {

// Eight bytes that one core writes and any thread may read. With a single writer an addition is a
// load and a store: no locked instruction. Cells of different cores never share a cache line.
using Cell = std::atomic<uint64_t>;

inline void add_to_cell(Cell& cell, uint64_t n) {
  cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

// Counts up. One pointer, cheap to copy; written by the core it was handed out for. The cell
// belongs to the Registry and stays where it is.
class Counter {
 public:
  explicit Counter(Cell& cell) : cell_(&cell) {}
  void add(uint64_t n = 1) { add_to_cell(*cell_, n); }
  uint64_t value() const { return cell_->load(std::memory_order_relaxed); }

 private:
  Cell* cell_;
};

// One core's share of a level, such as requests in flight; a scrape shows the sum over all cores.
// The share may be negative when work starts on one core and ends on another. One pointer.
class Gauge {
 public:
  explicit Gauge(Cell& cell) : cell_(&cell) {}
  void add(int64_t n = 1) { add_to_cell(*cell_, static_cast<uint64_t>(n)); }
  void sub(int64_t n = 1) { add_to_cell(*cell_, uint64_t{0} - static_cast<uint64_t>(n)); }
  int64_t value() const { return static_cast<int64_t>(cell_->load(std::memory_order_relaxed)); }

 private:
  Cell* cell_;
};

// A level that is set rather than counted. Any thread; the last writer wins. One pointer.
class GlobalGauge {
 public:
  explicit GlobalGauge(Cell& cell) : cell_(&cell) {}
  void set(double value) {
    cell_->store(std::bit_cast<uint64_t>(value), std::memory_order_relaxed);
  }
  double value() const { return std::bit_cast<double>(cell_->load(std::memory_order_relaxed)); }

 private:
  Cell* cell_;
};

// Where the buckets of a histogram end, and a table that finds the bucket of a value with one
// comparison: the exponent and the top three bits of the mantissa pick a cell of the table, and
// no cell holds more than one bound. Immutable; any thread.
class Buckets {
 public:
  // More would make a scrape of many series slow to write and to store.
  static constexpr size_t bounds_max = 64;

  // Bounds rise, are positive and finite, and each is at least 12.5 % above the one before.
  explicit Buckets(std::span<const double> bounds);

  // The first bucket whose upper bound is not below `value`; bounds().size() is the +Inf bucket.
  size_t index_of(double value) const {
    const int64_t key = std::bit_cast<int64_t>(value) >> key_shift;
    const int64_t row = std::clamp<int64_t>(key - first_key_, 0, last_row_);
    const size_t candidate = below_[static_cast<size_t>(row)];
    return candidate + static_cast<size_t>(value > limits_[candidate]);
  }
  std::span<const double> bounds() const { return {limits_.data(), limits_.size() - 1}; }

 private:
  static constexpr int key_shift = 52 - 3;
  std::vector<double> limits_;  // The bounds, then +Inf.
  std::vector<uint8_t> below_;  // Per row: how many bounds lie below its lowest value.
  int64_t first_key_ = 0;
  int64_t last_row_ = 0;
};

// 0.5 ms to 60 s, in seconds: fine where a cached answer and a healthy upstream lie, coarse above.
inline constexpr std::array<double, 16> latency_bounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
// 256 B to 64 MiB by powers of four.
inline constexpr std::array<double, 10> size_bounds = {
    256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864};

// One core's share of a distribution: two pointers, cheap to copy. The cells belong to the
// Registry: one per bucket, the +Inf bucket, then the sum as a double.
class Histogram {
 public:
  Histogram(Cell* cells, const Buckets& buckets) : cells_(cells), buckets_(&buckets) {}

  void observe(double value) {
    add_to_cell(cells_[buckets_->index_of(value)], 1);
    Cell& sum = cells_[buckets_->bounds().size() + 1];
    const double before = std::bit_cast<double>(sum.load(std::memory_order_relaxed));
    sum.store(std::bit_cast<uint64_t>(before + value), std::memory_order_relaxed);
  }
  // In seconds, as Prometheus wants durations.
  void observe(Duration duration) { observe(static_cast<double>(duration.count()) * 1e-9); }

 private:
  Cell* cells_;
  const Buckets* buckets_;
};

}  // namespace spillway::telemetry
