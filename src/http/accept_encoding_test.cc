// http/accept_encoding_test.cc: weights, wildcards and what is malformed (RFC 9110 section 12.5.3).
#include "http/accept_encoding.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace spillway::http {
namespace {

constexpr std::array all = {ContentCoding::zstd, ContentCoding::br, ContentCoding::gzip};

std::string chosen(std::string_view value, std::span<const ContentCoding> offered = all) {
  HeaderList fields;
  EXPECT_TRUE(fields.add(Field::accept_encoding, value));
  const auto coding = choose_coding(fields, offered);
  return coding ? std::string(to_string(*coding)) : "identity";
}

TEST(AcceptEncoding, takes_the_highest_weight_and_the_first_among_equals) {
  EXPECT_EQ(chosen("gzip, deflate, br, zstd"), "zstd");
  EXPECT_EQ(chosen("gzip, deflate, br"), "br");
  EXPECT_EQ(chosen("gzip;q=1.0, br;q=0.5"), "gzip");
  EXPECT_EQ(chosen("br;q=0.001"), "br");
  EXPECT_EQ(chosen("GZIP ; Q=0.5"), "gzip");
  EXPECT_EQ(chosen("x-gzip"), "gzip");
  EXPECT_EQ(chosen(", ,gzip,"), "gzip");
  constexpr std::array only_gzip = {ContentCoding::gzip};
  EXPECT_EQ(chosen("br, zstd", only_gzip), "identity");
}

TEST(AcceptEncoding, sends_it_as_it_is_where_the_client_wants_that) {
  EXPECT_FALSE(choose_coding(HeaderList(), all));
  EXPECT_EQ(chosen(""), "identity");
  EXPECT_EQ(chosen("deflate"), "identity");
  EXPECT_EQ(chosen("gzip;q=0"), "identity");
  EXPECT_EQ(chosen("gzip;q=0.5, identity"), "identity");
  EXPECT_EQ(chosen("gzip;q=0.5, identity;q=0.4"), "gzip");
  EXPECT_EQ(chosen("gzip, identity;q=0"), "gzip");
}

TEST(AcceptEncoding, a_star_stands_for_all_that_are_not_named) {
  EXPECT_EQ(chosen("*"), "zstd");
  EXPECT_EQ(chosen("zstd;q=0, *"), "br");
  EXPECT_EQ(chosen("*;q=0, gzip"), "gzip");
  EXPECT_EQ(chosen("*;q=0"), "identity");
}

TEST(AcceptEncoding, ignores_what_is_malformed) {
  for (const char* weight : {"gzip;q=", "gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=-1",
                             "gzip;q=.5", "gzip;x=1", "gzip;", "gzip;q=0x1"}) {
    EXPECT_EQ(chosen(weight), "identity") << weight;
  }
  EXPECT_EQ(chosen("gzip;q=bad, br;q=0.1"), "br");
}

TEST(AcceptEncoding, reads_several_lines_and_no_endless_list) {
  HeaderList fields;
  ASSERT_TRUE(fields.add(Field::accept_encoding, "deflate"));
  ASSERT_TRUE(fields.add(Field::accept_encoding, "gzip"));
  EXPECT_EQ(choose_coding(fields, all), ContentCoding::gzip);
  std::string endless;
  for (size_t i = 0; i < accept_encoding_elements_max; ++i) endless += "a,";
  EXPECT_EQ(chosen(endless + "gzip"), "identity");
}

TEST(AcceptEncoding, weights_are_thousandths) {
  EXPECT_EQ(parse_weight("1"), 1000);
  EXPECT_EQ(parse_weight("1.000"), 1000);
  EXPECT_EQ(parse_weight("0.05"), 50);
  EXPECT_EQ(parse_weight("0."), 0);
  EXPECT_FALSE(parse_weight("1.1"));
}

}  // namespace
}  // namespace spillway::http
