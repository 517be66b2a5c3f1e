// sim/trace.cc: hashing and keeping events.
#include "sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace spillway::sim {

void Trace::mix(uint64_t value) {
  hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15;
  hash_ ^= hash_ >> 29;
}

void Trace::mix(std::string_view bytes) {
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    mix(word);
    bytes.remove_prefix(8);
  }
  uint64_t rest = bytes.size();
  for (const char c : bytes) rest = rest << 8 | static_cast<uint8_t>(c);
  mix(rest);
}

void Trace::keep(Entry entry) {
  ++events_;
  mix(static_cast<uint64_t>(entry.at.nanoseconds()));
  kept_.push_back(std::move(entry));
  if (kept_.size() > kept_max) kept_.pop_front();
}

void Trace::note(Instant at, const char* what, int64_t a, int64_t b) {
  mix(std::string_view(what));
  mix(static_cast<uint64_t>(a));
  mix(static_cast<uint64_t>(b));
  keep({at, what, a, b, {}});
}

void Trace::note(Instant at, std::string text) {
  mix(std::string_view(text));
  keep({at, nullptr, 0, 0, std::move(text)});
}

std::vector<std::string> Trace::tail(size_t lines) const {
  std::vector<std::string> result;
  const size_t count = std::min(lines, kept_.size());
  for (size_t i = kept_.size() - count; i < kept_.size(); ++i) {
    const Entry& entry = kept_[i];
    const double seconds = static_cast<double>(entry.at.nanoseconds()) / 1e9;
    result.push_back(entry.what == nullptr
                         ? fmt::format("{:.6f} {}", seconds, entry.text)
                         : fmt::format("{:.6f} {} {} {}", seconds, entry.what, entry.a, entry.b));
  }
  return result;
}

}  // namespace spillway::sim
