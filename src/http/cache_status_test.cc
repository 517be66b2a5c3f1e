// http/cache_status_test.cc: the words of RFC 9211.
#include "http/cache_status.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace spillway::http {
namespace {

std::string text(const CacheStatus& status) {
  std::array<char, 200> buffer;
  HeadWriter to(buffer);
  write_cache_status(to, "spillway", status);
  EXPECT_FALSE(to.overflowed());
  return std::string(to.written());
}

TEST(CacheStatus, says_what_was_done) {
  EXPECT_EQ(text({.is_hit = true, .ttl = 30}), "spillway; hit; ttl=30");
  EXPECT_EQ(text({.is_hit = true, .ttl = -5}), "spillway; hit; ttl=-5");
  EXPECT_EQ(text({.forward = CacheForward::uri_miss, .is_stored = true}),
            "spillway; fwd=uri-miss; stored");
  EXPECT_EQ(text({.forward = CacheForward::vary_miss, .is_collapsed = true}),
            "spillway; fwd=vary-miss; collapsed");
  EXPECT_EQ(text({.is_hit = true, .forward = CacheForward::stale, .forward_status = 304}),
            "spillway; hit; fwd=stale; fwd-status=304");
  EXPECT_EQ(text({.forward = CacheForward::bypass, .detail = "cookie"}),
            "spillway; fwd=bypass; detail=cookie");
  EXPECT_EQ(text({.forward = CacheForward::method}), "spillway; fwd=method");
  EXPECT_EQ(text({.forward = CacheForward::request}), "spillway; fwd=request");
}

}  // namespace
}  // namespace spillway::http
