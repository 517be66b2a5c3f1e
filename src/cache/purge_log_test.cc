// cache/purge_log_test.cc: what is older than a purge is gone, and what is younger stays.
#include "cache/purge_log.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway::cache {
namespace {

Hash128 name(int number) { return SipHash::of(std::to_string(number), {}); }

TEST(PurgeLog, what_was_born_before_is_gone) {
  PurgeLog log;
  const uint64_t early = log.now();
  EXPECT_FALSE(log.is_purged(name(1), early));
  log.purge(name(1));
  EXPECT_TRUE(log.is_purged(name(1), early));
  EXPECT_FALSE(log.is_purged(name(2), early));
  const uint64_t late = log.now();
  EXPECT_FALSE(log.is_purged(name(1), late));
  log.purge(name(2));
  EXPECT_FALSE(log.is_purged(name(1), late));
  log.purge_all();
  EXPECT_TRUE(log.is_purged(name(3), late));
  EXPECT_FALSE(log.is_purged(name(3), log.now()));
}

TEST(PurgeLog, forgets_on_the_safe_side) {
  PurgeLog log;
  const uint64_t early = log.now();
  for (size_t i = 0; i <= PurgeLog::names_max; ++i) log.purge(name(static_cast<int>(i)));
  EXPECT_TRUE(log.is_purged(name(-1), early));  // Never purged, but nobody can tell any more.
  EXPECT_TRUE(log.is_purged(name(0), early));
  EXPECT_FALSE(log.is_purged(name(-1), log.now()));
}

}  // namespace
}  // namespace spillway::cache
