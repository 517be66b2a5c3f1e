// cache/ghost_list.h: the keys that left a cache last, without what was stored under them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

namespace spillway::cache {

// First in, first out, bounded by the bytes that its entries had. Not thread-safe.
class GhostList {
 public:
  void add(uint64_t hash, uint64_t bytes, uint64_t bytes_max) {
    take(hash);
    by_hash_.emplace(hash, Ghost{.number = first_ + order_.size(), .bytes = bytes});
    order_.push_back(hash);
    bytes_ += bytes;
    while (bytes_ > bytes_max && !order_.empty()) forget_first();
  }
  // True if it was here. It is not any more.
  bool take(uint64_t hash) {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end()) return false;
    bytes_ -= found->second.bytes;
    by_hash_.erase(found);  // Its place in the order is passed over later.
    return true;
  }
  size_t size() const { return by_hash_.size(); }

 private:
  struct Ghost {
    uint64_t number = 0;  // Its place in the order.
    uint64_t bytes = 0;
  };

  void forget_first() {
    const auto found = by_hash_.find(order_.front());
    if (found != by_hash_.end() && found->second.number == first_) {
      bytes_ -= found->second.bytes;
      by_hash_.erase(found);
    }
    order_.pop_front();
    ++first_;
  }

  std::deque<uint64_t> order_;
  std::unordered_map<uint64_t, Ghost> by_hash_;
  uint64_t first_ = 0;  // The number of the front of order_.
  uint64_t bytes_ = 0;
};

}  // namespace spillway::cache
