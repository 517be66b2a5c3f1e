// http/via_test.cc: our name in Via is added once a pass and found again.
#include "http/via.h"

#include <gtest/gtest.h>

namespace spillway::http {
namespace {

TEST(Via, appends_the_version_that_was_received) {
  const Via via("spillway-7f3a");
  HeaderList fields;
  ASSERT_TRUE(via.append(1, fields));
  ASSERT_TRUE(via.append(0, fields));
  EXPECT_EQ(fields[0].value, "1.1 spillway-7f3a");
  EXPECT_EQ(fields[1].value, "1.0 spillway-7f3a");
  EXPECT_EQ(via.times_passed(fields), 2U);
}

TEST(Via, counts_only_its_own_name) {
  const Via via("me");
  HeaderList fields;
  ASSERT_TRUE(fields.add("Via", "1.1 other, HTTP/2 ME (comment), 1.0  me, 1.1 me2, me, 1.1"));
  ASSERT_TRUE(fields.add("via", "1.1 me"));
  EXPECT_EQ(via.times_passed(fields), 3U);
}

}  // namespace
}  // namespace spillway::http
