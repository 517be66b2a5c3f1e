// cache/eviction_test.cc: what stays when room is needed, and how the best way is found.
#include "cache/eviction.h"

#include <gtest/gtest.h>

#include <memory>
#include <unordered_map>

namespace spillway::cache {
namespace {

constexpr uint64_t mixed(uint64_t key) {
  uint64_t hash = (key + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
  hash ^= hash >> 30;
  hash *= 0x94D049BB133111EB;
  return hash ^ (hash >> 31);
}

// A cache of keys, each of one byte unless it says otherwise.
class Keys {
 public:
  explicit Keys(uint64_t bytes_max) : bytes_max_(bytes_max), eviction_(bytes_max) {}

  // True: it was here.
  bool ask(uint64_t key, uint64_t bytes = 1) {
    const uint64_t hash = mixed(key);
    eviction_.note(hash, bytes);
    if (const auto found = nodes_.find(hash); found != nodes_.end()) {
      found->second->heat.touch();
      return true;
    }
    auto node = std::make_unique<EvictionNode>();
    node->hash = hash;
    node->bytes = bytes;
    drop_for(bytes);
    eviction_.insert(*node);
    nodes_[hash] = std::move(node);
    drop_for(0);
    EXPECT_LE(eviction_.bytes(), bytes_max_);
    EXPECT_EQ(eviction_.entries(), nodes_.size());
    return false;
  }
  Eviction& eviction() { return eviction_; }
  void set_bytes_max(uint64_t bytes_max) {
    bytes_max_ = bytes_max;
    eviction_.set_bytes_max(bytes_max);
    drop_for(0);
  }

 private:
  void drop_for(uint64_t bytes) {
    while (const EvictionNode* victim = eviction_.next_victim(bytes)) nodes_.erase(victim->hash);
  }
  uint64_t bytes_max_;
  Eviction eviction_;
  std::unordered_map<uint64_t, std::unique_ptr<EvictionNode>> nodes_;
};

TEST(FrequencySketch, counts_halves_and_grows) {
  FrequencySketch sketch;
  for (int i = 0; i < 5; ++i) sketch.add(mixed(1));
  sketch.add(mixed(2));
  EXPECT_EQ(sketch.estimate(mixed(1)), 5);
  EXPECT_EQ(sketch.estimate(mixed(2)), 1);
  EXPECT_EQ(sketch.estimate(mixed(3)), 0);
  sketch.make_room(100'000);
  EXPECT_EQ(sketch.estimate(mixed(1)), 5);
  for (int i = 0; i < 100; ++i) sketch.add(mixed(1));
  EXPECT_EQ(sketch.estimate(mixed(1)), FrequencySketch::count_max);

  FrequencySketch small;
  small.add(mixed(1));
  for (uint64_t i = 2; i < 3000; ++i) small.add(mixed(i));
  EXPECT_LT(small.estimate(mixed(1)), FrequencySketch::count_max);  // What is old is forgotten.
}

TEST(GhostList, remembers_so_many_bytes_and_each_key_once) {
  GhostList ghosts;
  ghosts.add(1, 4, 10);
  ghosts.add(2, 4, 10);
  ghosts.add(1, 4, 10);
  EXPECT_EQ(ghosts.size(), 2U);
  ghosts.add(3, 4, 10);  // The oldest goes, and that is 2 now.
  EXPECT_FALSE(ghosts.take(2));
  EXPECT_TRUE(ghosts.take(1));
  EXPECT_FALSE(ghosts.take(1));
  ghosts.add(4, 99, 10);  // More than there is room for.
  EXPECT_EQ(ghosts.size(), 0U);
}

TEST(Eviction, what_is_used_stays_when_others_pass_through) {
  Keys keys(100);
  for (uint64_t round = 0; round < 10; ++round) {
    for (uint64_t key = 0; key < 20; ++key) keys.ask(key);
  }
  for (uint64_t key = 1000; key < 5000; ++key) {
    keys.ask(key);
    if (key % 20 == 0) {
      for (uint64_t used = 0; used < 20; ++used) EXPECT_TRUE(keys.ask(used));
    }
  }
}

TEST(Eviction, goes_over_to_the_way_that_suits_keys_in_circles) {
  constexpr uint64_t room = 1000;
  constexpr uint64_t circle = 1500;  // Whoever keeps the latest ones never has the next.
  Keys keys(room);
  uint64_t hits = 0;
  constexpr uint64_t rounds = 60;
  for (uint64_t round = 0; round < rounds; ++round) {
    for (uint64_t key = 0; key < circle; ++key) {
      const bool is_late = round >= rounds / 2;
      hits += keys.ask(key) && is_late ? 1 : 0;
    }
  }
  EXPECT_GT(hits, circle * rounds / 2 / 2);
}

TEST(Eviction, goes_over_to_the_way_that_suits_keys_that_come_back_soon) {
  constexpr uint64_t room = 1000;
  Keys keys(room);
  uint64_t hits = 0;
  constexpr uint64_t asks = 100'000;
  for (uint64_t i = 0; i < asks; ++i) {
    keys.ask(i);
    if (i >= 300) hits += keys.ask(i - 300) ? 1 : 0;  // Once more, and never again.
  }
  EXPECT_GT(hits, asks * 8 / 10);
}

TEST(Eviction, tries_a_sample_of_many_keys) {
  Keys keys(50'000);
  for (uint64_t i = 0; i < 200'000; ++i) keys.ask(i * i % 70'001, 1);
  EXPECT_GT(keys.eviction().entries(), 30'000U);
}

TEST(Eviction, less_room_holds_at_once) {
  Keys keys(1000);
  for (uint64_t i = 0; i < 2000; ++i) keys.ask(i, i % 9 + 1);
  keys.set_bytes_max(50);
  EXPECT_LE(keys.eviction().bytes(), 50U);
  for (uint64_t i = 0; i < 2000; ++i) keys.ask(i, i % 9 + 1);
}

}  // namespace
}  // namespace spillway::cache
