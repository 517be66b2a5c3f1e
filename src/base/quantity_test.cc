// base/quantity_test.cc: units read and written as the plan file promises.
#include "base/quantity.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(Quantity, reads_durations_in_every_unit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("365d"), 8760h);
  EXPECT_EQ(parse_duration("0"), 0s);
}

TEST(Quantity, refuses_durations_without_unit_sign_or_sense) {
  for (const char* text : {"", "5", "s", "-5s", "5 s", "5x", "1e9s", ".5s", "5.s", "99999999d"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Quantity, reads_sizes_as_powers_of_1024) {
  EXPECT_EQ(parse_byte_size("2048B")->bytes, 2048u);
  EXPECT_EQ(parse_byte_size("64KB")->bytes, 65536u);
  EXPECT_EQ(parse_byte_size("64KiB")->bytes, 65536u);
  EXPECT_EQ(parse_byte_size("1.5GB")->bytes, 1610612736u);
  for (const char* text : {"", "10", "10M", "MB", "-1MB", "10 MB", "0.3B", "9999999999TB"}) {
    EXPECT_FALSE(parse_byte_size(text)) << text;
  }
}

TEST(Quantity, reads_shares_and_rates) {
  EXPECT_EQ(parse_share("20%"), Share::percent(20));
  EXPECT_EQ(parse_rate("10/s"), (Rate{10, 1s}));
  EXPECT_EQ(parse_rate("10000 per 15m"), (Rate{10000, 15min}));
  for (const char* text : {"20", "120%", "-1%"}) EXPECT_FALSE(parse_share(text)) << text;
  for (const char* text : {"10", "10/x", "x/s", "5 per 0s", "5 per"}) {
    EXPECT_FALSE(parse_rate(text)) << text;
  }
}

TEST(Quantity, writes_what_it_reads) {
  for (const char* text : {"250ms", "1h30m", "365d", "1m"}) {
    EXPECT_EQ(to_string(*parse_duration(text)), text);
  }
  for (const char* text : {"2KB", "10MB", "1GB", "1500B"}) {
    EXPECT_EQ(to_string(*parse_byte_size(text)), text);
  }
  for (const char* text : {"10/s", "10000 per 15m"}) EXPECT_EQ(to_string(*parse_rate(text)), text);
  EXPECT_EQ(to_string(*parse_share("0.1%")), "0.1%");
}

}  // namespace
}  // namespace spillway
