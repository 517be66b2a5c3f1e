// sim/trace.h: what happened in a world, as a hash to compare and a tail to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace spillway::sim {

// Every event of a run goes through here in order. Two runs are the same exactly if their hashes
// are. Owned by a World; one thread.
class Trace {
 public:
  // `what` is a literal. `a` and `b` are what the event is about: a descriptor, a count.
  void note(Instant at, const char* what, int64_t a = 0, int64_t b = 0);
  void note(Instant at, std::string text);
  void mix(std::string_view bytes);  // Content that only counts for the hash.

  uint64_t hash() const { return hash_; }
  uint64_t events() const { return events_; }
  std::vector<std::string> tail(size_t lines) const;

 private:
  struct Entry {
    Instant at;
    const char* what;
    int64_t a;
    int64_t b;
    std::string text;
  };
  static constexpr size_t kept_max = 400;  // About what a person reads of a failed run.

  void mix(uint64_t value);
  void keep(Entry entry);

  uint64_t hash_ = 0xCBF29CE484222325;
  uint64_t events_ = 0;
  std::deque<Entry> kept_;
};

}  // namespace spillway::sim
