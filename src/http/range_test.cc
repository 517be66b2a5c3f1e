// http/range_test.cc: the examples of RFC 9110 section 14.1.2, and what is not served.
#include "http/range.h"

#include <gmock/gmock.h>

#include <string>

namespace spillway::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

constexpr uint64_t size = 10'000;

TEST(Range, reads_the_examples_of_the_standard) {
  EXPECT_THAT(parse_ranges("bytes=0-499", size), Optional(ElementsAre(ByteRange{0, 499})));
  EXPECT_THAT(parse_ranges("bytes=500-999", size), Optional(ElementsAre(ByteRange{500, 999})));
  EXPECT_THAT(parse_ranges("bytes=-500", size), Optional(ElementsAre(ByteRange{9500, 9999})));
  EXPECT_THAT(parse_ranges("bytes=9500-", size), Optional(ElementsAre(ByteRange{9500, 9999})));
  EXPECT_THAT(parse_ranges("bytes=0-0,-1", size),
              Optional(ElementsAre(ByteRange{0, 0}, ByteRange{9999, 9999})));
  EXPECT_THAT(
      parse_ranges("bytes= 0-999, 4500-5499, -1000", size),
      Optional(ElementsAre(ByteRange{0, 999}, ByteRange{4500, 5499}, ByteRange{9000, 9999})));
}

TEST(Range, is_cut_at_the_end_of_the_body) {
  EXPECT_THAT(parse_ranges("bytes=9990-20000", size), Optional(ElementsAre(ByteRange{9990, 9999})));
  EXPECT_THAT(parse_ranges("bytes=-20000", size), Optional(ElementsAre(ByteRange{0, 9999})));
  EXPECT_THAT(parse_ranges("Bytes=0-1,20000-", size), Optional(ElementsAre(ByteRange{0, 1})));
}

TEST(Range, that_is_nowhere_leaves_nothing) {
  for (const char* nowhere : {"bytes=10000-", "bytes=-0", "bytes=20000-30000, 40000-"}) {
    EXPECT_THAT(parse_ranges(nowhere, size), Optional(IsEmpty())) << nowhere;
  }
  EXPECT_THAT(parse_ranges("bytes=0-", 0), Optional(IsEmpty()));
  EXPECT_THAT(parse_ranges("bytes=-5", 0), Optional(IsEmpty()));
}

TEST(Range, that_is_malformed_or_greedy_counts_as_not_there) {
  for (const char* bad :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1;2-3",
        "bytes=+1-2", "bytes=1--2", "bytes 0-1", "items=0-1", "bytes=99999999999999999999-",
        "bytes=0x1-2", "bytes=0-5,5-9", "bytes=0-,0-"}) {
    EXPECT_EQ(parse_ranges(bad, size), std::nullopt) << bad;
  }
  std::string many = "bytes=0-0";
  for (int i = 1; i < 8; ++i) many += "," + std::to_string(i) + "-" + std::to_string(i);
  EXPECT_EQ(parse_ranges(many, size)->size(), ranges_max);
  EXPECT_EQ(parse_ranges(many + ",9-9", size), std::nullopt);
}

TEST(Range, reaches_to_the_last_number_there_is) {
  EXPECT_THAT(parse_ranges("bytes=0-18446744073709551615", UINT64_MAX),
              Optional(ElementsAre(ByteRange{0, UINT64_MAX - 1})));
}

}  // namespace
}  // namespace spillway::http
