// cache/frequency_sketch.h: how often keys were asked for of late, in a few bytes for each.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace spillway::cache {

// A count-min sketch with conservative update whose counts are halved from time to time (TinyLFU;
// Einziger, Friedman and Manes, 2017). Estimates are never too low but for the halving. Eight to
// sixteen bytes for each key that it has room for. Not thread-safe.
class FrequencySketch {
 public:
  static constexpr uint8_t count_max = 15;

  void add(uint64_t hash) {
    const auto places = places_of(hash);
    const uint8_t least = least_of(places);
    if (least < count_max) {
      for (size_t row = 0; row < rows; ++row) {
        if (counts_[places[row]] == least) ++counts_[places[row]];
      }
    }
    if (++added_ >= halved_after * (width_ / 2)) halve();
  }
  uint8_t estimate(uint64_t hash) const { return least_of(places_of(hash)); }

  // For as many keys as the cache holds; what was counted stays.
  void make_room(size_t keys) {
    while (width_ / 2 < keys && width_ < width_max) grow();
  }

 private:
  static constexpr size_t rows = 4;
  static constexpr size_t width_min = 128;
  static constexpr size_t width_max = size_t{1} << 24;
  static constexpr size_t halved_after = 20;  // Times the keys that there is room for.

  std::array<size_t, rows> places_of(uint64_t hash) const {
    std::array<size_t, rows> places{};
    for (size_t row = 0; row < rows; ++row) {
      hash = (hash ^ (hash >> 32)) * 0xBF58476D1CE4E5B9;  // The mixer of SplitMix64.
      hash ^= hash >> 29;
      places[row] = row * width_ + (hash & (width_ - 1));
    }
    return places;
  }
  uint8_t least_of(const std::array<size_t, rows>& places) const {
    uint8_t least = count_max;
    for (const size_t place : places) least = std::min(least, counts_[place]);
    return least;
  }
  void halve() {
    for (uint8_t& count : counts_) count /= 2;
    added_ /= 2;
  }
  // A place is the low bits of a hash: with one bit more, each count belongs to two places.
  void grow() {
    std::vector<uint8_t> wider(rows * width_ * 2);
    for (size_t row = 0; row < rows; ++row) {
      const auto from = counts_.begin() + static_cast<ptrdiff_t>(row * width_);
      const auto to = wider.begin() + static_cast<ptrdiff_t>(row * width_ * 2);
      std::copy_n(from, width_, to);
      std::copy_n(from, width_, to + static_cast<ptrdiff_t>(width_));
    }
    counts_ = std::move(wider);
    width_ *= 2;
  }

  size_t width_ = width_min;  // A power of two.
  std::vector<uint8_t> counts_ = std::vector<uint8_t>(rows * width_min);
  size_t added_ = 0;
};

}  // namespace spillway::cache
