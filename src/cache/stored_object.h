// cache/stored_object.h: what is stored under one key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/siphash.h"

namespace spillway::cache {

// Names an object in all tiers. The text is whole, because hashes whose key everybody knows can be
// made to collide; all tiers compare it.
struct CacheKey {
  std::string_view text;
  Hash128 hash;

  // The same on all instances and after a restart.
  static CacheKey of(std::string_view text) { return {text, SipHash::of(text, {})}; }
};

// Immutable once stored, and shared by all cores.
struct StoredObject {
  std::string key;
  std::string head;  // As its owner wrote it.
  std::string body;

  // What an entry costs beside its bytes: nodes, links, and what eviction remembers of it.
  static constexpr uint64_t entry_bytes = 512;
  uint64_t bytes() const { return key.size() + head.size() + body.size() + entry_bytes; }
};

}  // namespace spillway::cache
