// cache/eviction_trial.h: a way of choosing tried on keys alone.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "cache/eviction_queues.h"

namespace spillway::cache {

// What a cache would have done. Guarded by its owner's lock.
class EvictionTrial {
 public:
  EvictionTrial(uint64_t bytes_max, const EvictionWay& way, const FrequencySketch& sketch)
      : queues_(bytes_max, way, sketch) {}

  // The key is asked for.
  void ask(uint64_t hash, uint64_t bytes) {
    if (const auto found = nodes_.find(hash); found != nodes_.end()) {
      found->second->heat.touch();
      ++hits_;
      return;
    }
    if (bytes > queues_.bytes_max()) return;
    auto node = std::make_unique<EvictionNode>();
    node->hash = hash;
    node->bytes = bytes;
    drop_for(bytes);
    queues_.insert(*node);
    nodes_.emplace(hash, std::move(node));
    drop_for(0);
  }

  // Goes on with those keys for which `keeps` is true.
  template <class Keeps>
  void thin_out(uint64_t bytes_max, Keeps keeps) {
    std::erase_if(nodes_, [&](const auto& entry) {
      if (keeps(entry.first)) return false;
      queues_.remove(*entry.second);
      return true;
    });
    set_bytes_max(bytes_max);
  }
  void set_bytes_max(uint64_t bytes_max) {
    queues_.set_bytes_max(bytes_max);
    drop_for(0);
  }
  uint64_t take_hits() { return std::exchange(hits_, 0); }
  size_t size() const { return nodes_.size(); }

 private:
  void drop_for(uint64_t bytes) {
    while (const EvictionNode* victim = queues_.next_victim(bytes)) nodes_.erase(victim->hash);
  }

  EvictionQueues queues_;
  std::unordered_map<uint64_t, std::unique_ptr<EvictionNode>> nodes_;
  uint64_t hits_ = 0;
};

}  // namespace spillway::cache
