// bench/cache_peers.h: the policies that the memory cache is measured beside, as their papers say.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <list>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace spillway::bench {

struct Request {
  uint64_t key = 0;
  uint64_t size = 0;
};

// Each has ask(): true if the key was there; if not, it has been put there, if the policy wants it.

// The least recently used leaves.
class Lru {
 public:
  explicit Lru(uint64_t size_max) : size_max_(size_max) {}
  bool ask(const Request& request);

 private:
  const uint64_t size_max_;
  uint64_t size_ = 0;
  std::list<Request> order_;  // The latest in front.
  std::unordered_map<uint64_t, std::list<Request>::iterator> places_;
};

// SIEVE (Zhang, Yang, Yue, Vigfusson and Rashmi, 2024): a hand goes from the oldest to the newest
// and takes the first that was not visited since it last came by.
class Sieve {
 public:
  explicit Sieve(uint64_t size_max) : size_max_(size_max), hand_(order_.end()) {}
  bool ask(const Request& request);

 private:
  struct Item {
    Request request;
    bool is_visited = false;
  };
  void evict();

  const uint64_t size_max_;
  uint64_t size_ = 0;
  std::list<Item> order_;  // The newest in front.
  std::list<Item>::iterator hand_;
  std::unordered_map<uint64_t, std::list<Item>::iterator> places_;
};

// S3-FIFO (Yang, Zhang, Qiu, Yue and Rashmi, 2023): a small queue of a tenth, a main one, and the
// names of as much as the main one holds.
class S3Fifo {
 public:
  explicit S3Fifo(uint64_t size_max)
      : size_max_(size_max), small_max_(std::max<uint64_t>(size_max / 10, 1)) {}
  bool ask(const Request& request);

 private:
  struct Item {
    Request request;
    int uses = 0;
    bool is_main = false;
  };
  using Queue = std::list<Item>;
  void evict();
  void evict_small();
  void evict_main();
  void remember(const Request& request);

  const uint64_t size_max_;
  const uint64_t small_max_;
  uint64_t small_size_ = 0;
  uint64_t main_size_ = 0;
  uint64_t ghost_size_ = 0;
  Queue small_;  // The newest in front.
  Queue main_;
  std::unordered_map<uint64_t, Queue::iterator> places_;
  std::deque<Request> ghosts_;
  std::unordered_map<uint64_t, int> ghost_counts_;
};

// W-TinyLFU (Einziger, Friedman and Manes, 2017): a window of a hundredth, the rest a segmented LRU
// of which four fifths are protected; who comes from the window has to have been asked for more
// often than who would leave for it.
class WTinyLfu {
 public:
  // `items`: about as many as it holds.
  WTinyLfu(uint64_t size_max, uint64_t items);
  bool ask(const Request& request);

 private:
  enum Segment : uint8_t { window, probation, protected_ };
  struct Item {
    Request request;
    Segment segment = window;
  };
  using Queue = std::list<Item>;
  void move(Queue::iterator item, Segment to);
  void drop(Queue::iterator item);
  void make_room();
  void contest(Queue::iterator candidate);
  uint64_t size() const { return sizes_[window] + sizes_[probation] + sizes_[protected_]; }
  void count(uint64_t key);
  int estimate(uint64_t key) const;

  const uint64_t size_max_;
  const uint64_t window_max_;
  const uint64_t protected_max_;
  std::array<uint64_t, 3> sizes_{};
  std::array<Queue, 3> queues_;  // The latest in front.
  std::unordered_map<uint64_t, Queue::iterator> places_;
  uint64_t width_;
  std::vector<uint8_t> counts_;  // Four rows.
  uint64_t counted_ = 0;
  uint64_t halved_after_;
};

// The optimum that knows what comes (Belady, 1966); of sizes that differ a good approximation.
class Belady {
 public:
  Belady(uint64_t size_max, const std::vector<Request>& trace);
  bool ask(const Request& request);  // The trace's, in its order.

 private:
  static constexpr uint64_t never = UINT64_MAX;
  const uint64_t size_max_;
  uint64_t size_ = 0;
  uint64_t position_ = 0;
  std::vector<uint64_t> next_;                       // When the same key comes again.
  std::set<std::pair<uint64_t, uint64_t>> by_next_;  // And the key.
  std::unordered_map<uint64_t, std::pair<uint64_t, uint64_t>> items_;  // When, and the size.
};

}  // namespace spillway::bench
