// cache/purge_log.h: what was made invalid, and when, so that nothing older is served.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "base/mutex.h"
#include "base/siphash.h"
#include "runtime/sequence.h"

namespace spillway::cache {

// Of a whole process; any core. A purge is a number: what was born at it or before it is gone,
// wherever it lies, and a fetch that had begun by then brings nothing that is kept. Bounded: if
// more is purged than is remembered, all that is older than that is gone.
class PurgeLog {
 public:
  static constexpr size_t names_max = 65'536;

  // For a fetch that begins now.
  uint64_t now() const { return sequence_.last(); }

  // Returns when it was purged.
  uint64_t purge(const Hash128& name) {
    return names_.with([&](Names& names) {
      const uint64_t number = sequence_.next();
      if (names.by_name.size() >= names_max && !names.by_name.contains(name)) {
        names.by_name.clear();
        names.floor = number;
      }
      names.by_name[name] = number;
      return number;
    });
  }
  uint64_t purge_all() {
    return names_.with([&](Names& names) {
      names.by_name.clear();
      return names.floor = sequence_.next();
    });
  }

  // Most often nothing was purged since, and one look is enough.
  bool is_purged(const Hash128& name, uint64_t born) {
    if (born == sequence_.last()) return false;
    return names_.with([&](const Names& names) {
      if (born < names.floor) return true;
      const auto found = names.by_name.find(name);
      return found != names.by_name.end() && born < found->second;
    });
  }

 private:
  struct HashOf {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  struct Names {
    std::unordered_map<Hash128, uint64_t, HashOf> by_name;
    uint64_t floor = 0;  // Whatever was born before it is gone.
  };

  runtime::Sequence sequence_;
  Guarded<Names> names_;
};

}  // namespace spillway::cache
