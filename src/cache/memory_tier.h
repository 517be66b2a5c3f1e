// cache/memory_tier.h: objects in memory, shared by all cores, bounded to the byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "cache/eviction.h"
#include "cache/stored_object.h"

namespace spillway::cache {

// Any core, through its MemoryReader. A look-up locks one of many shards for some tens of
// nanoseconds; what comes and goes is decided under one lock. Locks are taken in this order:
// eviction, then a shard.
class MemoryTier {
 public:
  using Object = std::shared_ptr<const StoredObject>;

  explicit MemoryTier(uint64_t bytes_max) : bytes_max_(bytes_max), eviction_(bytes_max) {}

  // True if it was here.
  bool remove(const CacheKey& key);
  void clear();
  // At once: what is too much leaves.
  void set_bytes_max(uint64_t bytes_max);

  struct Usage {
    uint64_t bytes = 0;  // Never more than bytes_max.
    uint64_t bytes_max = 0;
    uint64_t entries = 0;
    uint64_t evictions = 0;  // For room.
    size_t way = 0;          // Of Eviction.
  };
  Usage usage();

 private:
  friend class MemoryReader;
  struct Entry : EvictionNode {
    Hash128 key_hash;
    Object object;
  };
  struct HashOf {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  using Entries = std::unordered_map<Hash128, std::unique_ptr<Entry>, HashOf>;
  using Shard = Guarded<Entries>;
  using Gone = std::vector<std::unique_ptr<Entry>>;  // Freed when the lock is not held any more.
  static constexpr size_t shards = 64;
  // A key was asked for; `bytes` are those of its object.
  struct Note {
    uint64_t hash = 0;
    uint64_t bytes = 0;
  };

  static uint64_t node_hash(const Hash128& hash) { return hash.low ^ hash.high; }
  Shard& shard_of(const Hash128& hash) { return shards_[hash.high % shards]; }
  Object find(const CacheKey& key, Note& note);
  bool put(const CacheKey& key, Object object, std::span<const Note> notes);
  void take_notes(std::span<const Note> notes);
  std::unique_ptr<Entry> pull(const Hash128& hash);
  void drop_for(uint64_t incoming, Gone& gone) __attribute__((exclusive_locks_required(mutex_)));
  void take_out(const Hash128& hash, Gone& gone) __attribute__((exclusive_locks_required(mutex_)));

  Mutex mutex_;
  uint64_t bytes_max_ __attribute__((guarded_by(mutex_)));
  Eviction eviction_ __attribute__((guarded_by(mutex_)));
  uint64_t evictions_ __attribute__((guarded_by(mutex_))) = 0;
  std::array<Shard, shards> shards_;
};

// One core's way to the tier. What it finds is told to the eviction in batches, so that hits of
// several cores do not wait for one another.
class MemoryReader {
 public:
  explicit MemoryReader(MemoryTier& tier) : tier_(tier) {}
  MemoryReader(const MemoryReader&) = delete;
  MemoryReader& operator=(const MemoryReader&) = delete;
  ~MemoryReader() { tell(); }

  // Null: it is not here.
  MemoryTier::Object find(const CacheKey& key);
  // In place of what is stored under that key. False: it is larger than all of the tier, or others
  // are worth more; what was under the key is gone in any case.
  bool put(MemoryTier::Object object);

 private:
  void tell();

  static constexpr size_t batch = 32;
  MemoryTier& tier_;
  std::array<MemoryTier::Note, batch> notes_;
  size_t count_ = 0;
};

}  // namespace spillway::cache
