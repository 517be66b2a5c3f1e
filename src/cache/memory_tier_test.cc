// cache/memory_tier_test.cc: objects kept, replaced, counted to the byte, and shared by threads.
#include "cache/memory_tier.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace spillway::cache {
namespace {

MemoryTier::Object object(std::string key, std::string body) {
  return std::make_shared<const StoredObject>(
      StoredObject{.key = std::move(key), .body = std::move(body)});
}

class MemoryTierTest : public testing::Test {
 protected:
  static constexpr uint64_t bytes_max = 100'000;

  std::string body_of(std::string_view key) {
    const auto found = reader.find(CacheKey::of(key));
    return found == nullptr ? "-" : found->body;
  }

  MemoryTier tier{bytes_max};
  MemoryReader reader{tier};
};

TEST_F(MemoryTierTest, finds_what_was_put_and_replaces_it) {
  EXPECT_EQ(body_of("/a"), "-");
  EXPECT_TRUE(reader.put(object("/a", "one")));
  EXPECT_EQ(body_of("/a"), "one");
  const auto held = reader.find(CacheKey::of("/a"));
  EXPECT_TRUE(reader.put(object("/a", "two")));
  EXPECT_EQ(body_of("/a"), "two");
  EXPECT_EQ(held->body, "one");  // Whoever has it goes on with it.
  EXPECT_EQ(tier.usage().entries, 1U);
  EXPECT_EQ(tier.usage().bytes, object("/a", "two")->bytes());
}

TEST_F(MemoryTierTest, compares_whole_keys) {
  EXPECT_TRUE(reader.put(object("/a", "one")));
  CacheKey other = CacheKey::of("/a");
  other.text = "/b";  // As if the hashes collided.
  EXPECT_EQ(reader.find(other), nullptr);
}

TEST_F(MemoryTierTest, removes_one_or_all) {
  for (const char* key : {"/a", "/b", "/c"}) EXPECT_TRUE(reader.put(object(key, key)));
  EXPECT_TRUE(tier.remove(CacheKey::of("/b")));
  EXPECT_FALSE(tier.remove(CacheKey::of("/b")));
  EXPECT_EQ(body_of("/b"), "-");
  EXPECT_EQ(body_of("/c"), "/c");
  tier.clear();
  EXPECT_EQ(body_of("/c"), "-");
  EXPECT_EQ(tier.usage().bytes, 0U);
  EXPECT_EQ(tier.usage().evictions, 0U);
}

TEST_F(MemoryTierTest, is_never_larger_than_it_may_be) {
  for (int i = 0; i < 3000; ++i) {
    reader.put(object("/" + std::to_string(i), std::string(static_cast<size_t>(i) % 7000, 'x')));
    const MemoryTier::Usage usage = tier.usage();
    ASSERT_LE(usage.bytes, bytes_max);
    ASSERT_GT(usage.entries, 0U);
    body_of("/" + std::to_string(i / 2));
  }
  EXPECT_GT(tier.usage().evictions, 1000U);
  tier.set_bytes_max(5000);
  EXPECT_LE(tier.usage().bytes, 5000U);
}

TEST_F(MemoryTierTest, keeps_nothing_that_is_larger_than_all_of_it) {
  EXPECT_TRUE(reader.put(object("/a", "small")));
  EXPECT_FALSE(reader.put(object("/a", std::string(bytes_max, 'x'))));
  EXPECT_EQ(body_of("/a"), "-");  // What was there before is not it.
  EXPECT_EQ(tier.usage().bytes, 0U);
}

TEST_F(MemoryTierTest, what_is_asked_for_stays) {
  EXPECT_TRUE(reader.put(object("/often", "here")));
  for (int i = 0; i < 5000; ++i) {
    reader.put(object("/" + std::to_string(i), std::string(500, 'x')));
    ASSERT_EQ(body_of("/often"), "here") << i;
  }
}

TEST_F(MemoryTierTest, threads_share_it) {
  const auto work = [this](int seed) {
    MemoryReader mine(tier);
    for (int i = 0; i < 5000; ++i) {
      const std::string key = "/" + std::to_string((i * 7 + seed * 13) % 300);
      const auto found = mine.find(CacheKey::of(key));
      if (found != nullptr) {
        ASSERT_EQ(found->body, key + key);
      } else {
        mine.put(object(key, key + key));
      }
      if (i % 97 == 0) tier.remove(CacheKey::of(key));
      if (i % 1999 == 0) tier.clear();
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_LE(tier.usage().bytes, bytes_max);
}

}  // namespace
}  // namespace spillway::cache
