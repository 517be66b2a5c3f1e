// telemetry/active_users.cc: HyperLogLog per minute, merged over minutes and cores.
#include "telemetry/active_users.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace spillway::telemetry {
namespace {

constexpr int64_t never = std::numeric_limits<int64_t>::min();
constexpr int64_t minute_length = std::chrono::nanoseconds(1min).count();
constexpr int rank_max = 64 - ActiveUsers::precision + 1;

// The finaliser of MurmurHash3 (Appleby): each bit of the input moves half of the output.
constexpr uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

uint64_t hash_bytes(const void* data, size_t size, uint64_t seed) {
  const auto* bytes = static_cast<const char*>(data);
  uint64_t hash = mixed(seed ^ (size + 1));
  while (size > 0) {
    uint64_t word = 0;
    const size_t taken = std::min(size, sizeof word);
    std::memcpy(&word, bytes, taken);
    hash = mixed(hash ^ word) + 0x9e3779b97f4a7c15;
    bytes += taken;
    size -= taken;
  }
  return mixed(hash);
}

// The two series of Ertl's estimator, for registers at zero and at their maximum.
double sigma(double x) {
  if (x == 1) return std::numeric_limits<double>::infinity();
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

double cardinality(const std::array<uint8_t, ActiveUsers::registers>& ranks) {
  std::array<uint32_t, rank_max + 1> having{};
  for (uint8_t rank : ranks) ++having[rank];
  constexpr auto m = static_cast<double>(ActiveUsers::registers);
  double z = m * tau(1 - having[rank_max] / m);
  for (size_t rank = rank_max - 1; rank >= 1; --rank) z = 0.5 * (z + having[rank]);
  z += m * sigma(having[0] / m);
  constexpr double alpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  return alpha * m * m / z;
}

}  // namespace

uint64_t client_key(const IpAddress& address, uint64_t seed) {
  const auto& bytes = address.bytes();
  return hash_bytes(bytes.data(), address.is_v4() ? bytes.size() : bytes.size() / 2, seed);
}

uint64_t client_key(std::string_view user, uint64_t seed) {
  return hash_bytes(user.data(), user.size(), seed);
}

ActiveUsers::ActiveUsers() {
  for (Minute& minute : ring_) begin_minute(minute, never);
}

// A reader that comes in between sees part of a minute: an estimate that is a little too small
// once, for a minute that was about to be forgotten or has only begun.
void ActiveUsers::begin_minute(Minute& minute, int64_t number) {
  minute.number.store(never, std::memory_order_relaxed);
  for (auto& rank : minute.ranks) rank.store(0, std::memory_order_relaxed);
  minute.number.store(number, std::memory_order_release);
}

void ActiveUsers::add(uint64_t client_key, Instant now) {
  const int64_t number = now.nanoseconds() / minute_length;
  Minute& minute = ring_[static_cast<uint64_t>(number) % minutes];
  if (minute.number.load(std::memory_order_relaxed) != number) begin_minute(minute, number);
  const uint64_t hash = mixed(client_key);
  auto& rank = minute.ranks[hash >> (64 - precision)];
  // The bit set at the end bounds the rank where all others are zero.
  const uint64_t rest = (hash << precision) | (uint64_t{1} << (precision - 1));
  const auto found = static_cast<uint8_t>(std::countl_zero(rest) + 1);
  if (found > rank.load(std::memory_order_relaxed)) rank.store(found, std::memory_order_relaxed);
}

double ActiveUsers::estimate(std::span<const ActiveUsers* const> cores, Instant now) {
  const int64_t last = now.nanoseconds() / minute_length;
  const int64_t first = last - static_cast<int64_t>(minutes) + 1;
  std::array<uint8_t, registers> merged{};
  for (const ActiveUsers* core : cores) {
    for (const Minute& minute : core->ring_) {
      const int64_t number = minute.number.load(std::memory_order_acquire);
      if (number < first || number > last) continue;
      for (size_t i = 0; i < registers; ++i) {
        merged[i] = std::max(merged[i], minute.ranks[i].load(std::memory_order_relaxed));
      }
    }
  }
  return cardinality(merged);
}

}  // namespace spillway::telemetry
