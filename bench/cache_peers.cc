// bench/cache_peers.cc: LRU, SIEVE, S3-FIFO, W-TinyLFU and Belady's optimum.
#include "cache_peers.h"

#include <iterator>

namespace spillway::bench {
namespace {

constexpr int rows = 4;

uint64_t mixed(uint64_t key, int row) {
  uint64_t hash = (key + 1) * 0x9E3779B97F4A7C15 + static_cast<uint64_t>(row) * 0xD1B54A32D192ED03;
  hash = (hash ^ (hash >> 32)) * 0xBF58476D1CE4E5B9;
  hash = (hash ^ (hash >> 29)) * 0x94D049BB133111EB;
  return hash ^ (hash >> 32);
}

}  // namespace

bool Lru::ask(const Request& request) {
  if (const auto found = places_.find(request.key); found != places_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return true;
  }
  if (request.size > size_max_) return false;
  while (size_ + request.size > size_max_) {
    size_ -= order_.back().size;
    places_.erase(order_.back().key);
    order_.pop_back();
  }
  order_.push_front(request);
  places_[request.key] = order_.begin();
  size_ += request.size;
  return false;
}

void Sieve::evict() {
  const auto towards_newest = [this](auto item) {
    return item == order_.begin() ? std::prev(order_.end()) : std::prev(item);
  };
  auto item = hand_ == order_.end() ? std::prev(order_.end()) : hand_;
  while (item->is_visited) {
    item->is_visited = false;
    item = towards_newest(item);
  }
  hand_ = item == order_.begin() ? order_.end() : std::prev(item);
  size_ -= item->request.size;
  places_.erase(item->request.key);
  order_.erase(item);
}

bool Sieve::ask(const Request& request) {
  if (const auto found = places_.find(request.key); found != places_.end()) {
    found->second->is_visited = true;
    return true;
  }
  if (request.size > size_max_) return false;
  while (size_ + request.size > size_max_) evict();
  order_.push_front({request});
  places_[request.key] = order_.begin();
  size_ += request.size;
  return false;
}

void S3Fifo::remember(const Request& request) {
  ghosts_.push_back(request);
  ++ghost_counts_[request.key];
  ghost_size_ += request.size;
  while (ghost_size_ > size_max_ - small_max_ && !ghosts_.empty()) {
    const Request& oldest = ghosts_.front();
    ghost_size_ -= oldest.size;
    const auto count = ghost_counts_.find(oldest.key);
    if (--count->second == 0) ghost_counts_.erase(count);
    ghosts_.pop_front();
  }
}

void S3Fifo::evict_main() {
  while (!main_.empty()) {
    const auto oldest = std::prev(main_.end());
    if (oldest->uses > 0) {
      --oldest->uses;
      main_.splice(main_.begin(), main_, oldest);
      continue;
    }
    main_size_ -= oldest->request.size;
    places_.erase(oldest->request.key);
    main_.erase(oldest);
    return;
  }
}

void S3Fifo::evict_small() {
  while (!small_.empty()) {
    const auto oldest = std::prev(small_.end());
    small_size_ -= oldest->request.size;
    if (oldest->uses == 0) {
      remember(oldest->request);
      places_.erase(oldest->request.key);
      small_.erase(oldest);
      return;
    }
    oldest->uses = 0;
    oldest->is_main = true;
    main_size_ += oldest->request.size;
    main_.splice(main_.begin(), small_, oldest);
    while (main_size_ > size_max_ - small_max_) evict_main();
  }
}

void S3Fifo::evict() {
  if (small_size_ >= small_max_ || main_.empty()) {
    evict_small();
  } else {
    evict_main();
  }
}

bool S3Fifo::ask(const Request& request) {
  constexpr int uses_max = 3;
  if (const auto found = places_.find(request.key); found != places_.end()) {
    found->second->uses = std::min(found->second->uses + 1, uses_max);
    return true;
  }
  if (request.size > size_max_) return false;
  const bool was_here = ghost_counts_.contains(request.key);
  while (small_size_ + main_size_ + request.size > size_max_) evict();
  Queue& queue = was_here ? main_ : small_;
  queue.push_front({.request = request, .is_main = was_here});
  places_[request.key] = queue.begin();
  (was_here ? main_size_ : small_size_) += request.size;
  return false;
}

WTinyLfu::WTinyLfu(uint64_t size_max, uint64_t items)
    : size_max_(size_max),
      window_max_(std::max<uint64_t>(size_max / 100, 1)),
      protected_max_((size_max - window_max_) * 8 / 10),
      width_(std::bit_ceil(std::max<uint64_t>(items, 64))),
      counts_(rows * width_),
      halved_after_(std::max<uint64_t>(10 * items, 640)) {}

int WTinyLfu::estimate(uint64_t key) const {
  int least = 15;
  for (int row = 0; row < rows; ++row) {
    const uint64_t place = static_cast<uint64_t>(row) * width_ + (mixed(key, row) & (width_ - 1));
    least = std::min<int>(least, counts_[place]);
  }
  return least;
}

void WTinyLfu::count(uint64_t key) {
  const int least = estimate(key);
  for (int row = 0; least < 15 && row < rows; ++row) {
    const uint64_t place = static_cast<uint64_t>(row) * width_ + (mixed(key, row) & (width_ - 1));
    if (counts_[place] == least) ++counts_[place];
  }
  if (++counted_ < halved_after_) return;
  for (uint8_t& value : counts_) value /= 2;
  counted_ /= 2;
}

void WTinyLfu::move(Queue::iterator item, Segment to) {
  sizes_[item->segment] -= item->request.size;
  queues_[to].splice(queues_[to].begin(), queues_[item->segment], item);
  item->segment = to;
  sizes_[to] += item->request.size;
}

void WTinyLfu::drop(Queue::iterator item) {
  sizes_[item->segment] -= item->request.size;
  places_.erase(item->request.key);
  queues_[item->segment].erase(item);
}

// It is the latest of the probation.
void WTinyLfu::contest(Queue::iterator candidate) {
  while (size() > size_max_) {
    auto victim = std::prev(queues_[probation].end());
    if (victim == candidate) {
      if (queues_[protected_].empty()) return drop(candidate);
      victim = std::prev(queues_[protected_].end());
    }
    if (estimate(candidate->request.key) <= estimate(victim->request.key)) return drop(candidate);
    drop(victim);
  }
}

void WTinyLfu::make_room() {
  while (sizes_[window] > window_max_) {
    const auto candidate = std::prev(queues_[window].end());
    move(candidate, probation);
    contest(candidate);
  }
  while (size() > size_max_) {
    for (const Segment segment : {probation, protected_, window}) {
      if (queues_[segment].empty()) continue;
      drop(std::prev(queues_[segment].end()));
      break;
    }
  }
}

bool WTinyLfu::ask(const Request& request) {
  count(request.key);
  if (const auto found = places_.find(request.key); found != places_.end()) {
    const auto item = found->second;
    move(item, item->segment == window ? window : protected_);
    while (sizes_[protected_] > protected_max_) {
      move(std::prev(queues_[protected_].end()), probation);
    }
    return true;
  }
  if (request.size > size_max_) return false;
  queues_[window].push_front({request});
  places_[request.key] = queues_[window].begin();
  sizes_[window] += request.size;
  make_room();
  return false;
}

Belady::Belady(uint64_t size_max, const std::vector<Request>& trace)
    : size_max_(size_max), next_(trace.size(), never) {
  std::unordered_map<uint64_t, uint64_t> seen;
  for (uint64_t i = trace.size(); i-- > 0;) {
    const auto [place, is_new] = seen.try_emplace(trace[i].key, i);
    if (is_new) continue;
    next_[i] = place->second;
    place->second = i;
  }
}

bool Belady::ask(const Request& request) {
  const uint64_t next = next_[position_++];
  if (const auto found = items_.find(request.key); found != items_.end()) {
    by_next_.erase({found->second.first, request.key});
    by_next_.insert({next, request.key});
    found->second.first = next;
    return true;
  }
  if (next == never || request.size > size_max_) return false;
  items_[request.key] = {next, request.size};
  by_next_.insert({next, request.key});
  size_ += request.size;
  while (size_ > size_max_) {
    const auto latest = std::prev(by_next_.end());
    size_ -= items_[latest->second].second;
    items_.erase(latest->second);
    by_next_.erase(latest);
  }
  return false;
}

}  // namespace spillway::bench
