// cache/memory_tier.cc: shards of entries, and one order in which they leave.
#include "cache/memory_tier.h"

#include <utility>

namespace spillway::cache {

MemoryTier::Object MemoryTier::find(const CacheKey& key, Note& note) {
  return shard_of(key.hash).with([&](auto& entries) -> Object {
    const auto found = entries.find(key.hash);
    if (found == entries.end()) return nullptr;
    Entry& entry = *found->second;
    if (entry.object->key != key.text) return nullptr;
    entry.heat.touch();
    note = {.hash = entry.hash, .bytes = entry.bytes};
    return entry.object;
  });
}

void MemoryTier::take_notes(std::span<const Note> notes) {
  const Locked locked(mutex_);
  for (const Note& note : notes) eviction_.note(note.hash, note.bytes);
}

bool MemoryTier::put(const CacheKey& key, Object object, std::span<const Note> notes) {
  auto entry = std::make_unique<Entry>();
  entry->key_hash = key.hash;
  entry->hash = node_hash(key.hash);
  entry->bytes = object->bytes();
  entry->object = std::move(object);
  Gone gone;
  const Locked locked(mutex_);
  for (const Note& note : notes) eviction_.note(note.hash, note.bytes);
  take_out(key.hash, gone);
  eviction_.note(entry->hash, entry->bytes);
  if (entry->bytes > bytes_max_) return false;
  drop_for(entry->bytes, gone);
  eviction_.insert(*entry);
  const Entry* const put = entry.get();
  shard_of(key.hash).with([&](auto& entries) { entries[key.hash] = std::move(entry); });
  drop_for(0, gone);
  return gone.empty() || gone.back().get() != put;
}

// Whoever found it goes on with it.
std::unique_ptr<MemoryTier::Entry> MemoryTier::pull(const Hash128& hash) {
  return shard_of(hash).with([&](auto& entries) -> std::unique_ptr<Entry> {
    auto node = entries.extract(hash);
    return node.empty() ? nullptr : std::move(node.mapped());
  });
}

void MemoryTier::drop_for(uint64_t incoming, Gone& gone) {
  while (const EvictionNode* victim = eviction_.next_victim(incoming)) {
    gone.push_back(pull(static_cast<const Entry*>(victim)->key_hash));
    ++evictions_;
  }
}

void MemoryTier::take_out(const Hash128& hash, Gone& gone) {
  auto entry = pull(hash);
  if (entry == nullptr) return;
  eviction_.remove(*entry);
  gone.push_back(std::move(entry));
}

bool MemoryTier::remove(const CacheKey& key) {
  Gone gone;
  const Locked locked(mutex_);
  take_out(key.hash, gone);
  return !gone.empty();
}

void MemoryTier::clear() {
  std::vector<Entries> gone;
  const Locked locked(mutex_);
  for (Shard& shard : shards_) {
    gone.push_back(shard.with([](Entries& entries) { return std::exchange(entries, {}); }));
    for (auto& [hash, entry] : gone.back()) eviction_.remove(*entry);
  }
}

void MemoryTier::set_bytes_max(uint64_t bytes_max) {
  Gone gone;
  const Locked locked(mutex_);
  bytes_max_ = bytes_max;
  eviction_.set_bytes_max(bytes_max);
  drop_for(0, gone);
}

MemoryTier::Usage MemoryTier::usage() {
  const Locked locked(mutex_);
  return {.bytes = eviction_.bytes(),
          .bytes_max = bytes_max_,
          .entries = eviction_.entries(),
          .evictions = evictions_,
          .way = eviction_.way()};
}

MemoryTier::Object MemoryReader::find(const CacheKey& key) {
  MemoryTier::Note note;
  MemoryTier::Object object = tier_.find(key, note);
  if (object == nullptr) return nullptr;
  notes_[count_++] = note;
  if (count_ == batch) tell();
  return object;
}

bool MemoryReader::put(MemoryTier::Object object) {
  const CacheKey key = CacheKey::of(object->key);
  const size_t count = std::exchange(count_, 0);
  return tier_.put(key, std::move(object), std::span(notes_).first(count));
}

void MemoryReader::tell() {
  const size_t count = std::exchange(count_, 0);
  if (count > 0) tier_.take_notes(std::span(notes_).first(count));
}

}  // namespace spillway::cache
