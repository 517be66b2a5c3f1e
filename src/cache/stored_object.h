// cache/stored_object.h: what is stored under one key.
#pragma once

#include <cstdint>
#include <memory>
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

// What goes before a body, as its owner reads it.
struct ObjectHead {
  virtual ~ObjectHead() = default;
  virtual uint64_t bytes() const = 0;
};

// Immutable once stored, and shared by all cores.
struct StoredObject {
  std::string key;
  std::shared_ptr<const ObjectHead> head = {};  // May be null.
  std::string body = {};
  Hash128 resource = {};  // What purging names it by (cache/purge_log.h).
  uint64_t born = 0;      // PurgeLog::now() when its fetch began.

  // What an entry costs beside its bytes: nodes, links, and what eviction remembers of it.
  static constexpr uint64_t entry_bytes = 512;
  uint64_t bytes() const {
    return key.size() + (head == nullptr ? 0 : head->bytes()) + body.size() + entry_bytes;
  }
};

}  // namespace spillway::cache
