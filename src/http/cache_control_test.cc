// http/cache_control_test.cc: directives as they are written, and as they should not be.
#include "http/cache_control.h"

#include <gtest/gtest.h>

#include "http/cache_testing.h"
#include "http/structured_field.h"

namespace spillway::http {
namespace {

AnswerDirectives answer(const TestFields& fields) {
  return answer_directives(TestExchange(fields).answer());
}
AnswerDirectives said(const char* value) { return answer({{"Cache-Control", value}}); }
AnswerDirectives cdn(const char* value) {
  return answer({{"CDN-Cache-Control", value}, {"Cache-Control", "max-age=7"}});
}
RequestDirectives asked(const TestFields& fields) {
  return request_directives(TestExchange({}, 200, fields).request());
}
RequestDirectives asked(const char* value) { return asked(TestFields{{"Cache-Control", value}}); }

TEST(CacheControl, rfc9111_1_2_2_delta_seconds_are_digits_and_bounded) {
  EXPECT_EQ(parse_delta_seconds("0"), 0);
  EXPECT_EQ(parse_delta_seconds("0060"), 60);
  EXPECT_EQ(parse_delta_seconds("2147483648"), delta_seconds_max);
  EXPECT_EQ(parse_delta_seconds("99999999999999999999999999"), delta_seconds_max);
  for (const char* bad : {"", "-1", "+1", "1.0", "1s", " 1", "0x1"}) {
    EXPECT_EQ(parse_delta_seconds(bad), std::nullopt) << bad;
  }
}

TEST(CacheControl, rfc9111_5_2_names_ignore_case_and_values_may_be_quoted) {
  EXPECT_EQ(said("MaX-aGe=60").max_age, 60);
  EXPECT_EQ(said("max-age=\"60\"").max_age, 60);
  EXPECT_EQ(said("max-age=\"6\\0\"").max_age, 60);
  EXPECT_EQ(said(" , max-age=60 ,, public").max_age, 60);
  EXPECT_EQ(answer({{"Cache-Control", "public"}, {"Cache-Control", "max-age=60"}}).max_age, 60);
  EXPECT_TRUE(said("No-StOre").no_store);
  EXPECT_TRUE(said("no-store=\"x, y\"").no_store);
}

TEST(CacheControl, rfc9111_4_2_1_malformed_or_contradictory_freshness_is_none) {
  for (const char* bad : {"max-age", "max-age=", "max-age=-1", "max-age=60.5", "max-age =60",
                          "max-age= 60", "max-age='60'", "max-age=60;x", "max-age=\"60\"x",
                          "max-age=\"60", "max-age=1, max-age=2", "max-age=60, max-age=x"}) {
    EXPECT_EQ(said(bad).max_age, 0) << bad;
  }
  EXPECT_EQ(said("max-age=60, max-age=60").max_age, 60);
  EXPECT_EQ(said("\"max-age=60\"").max_age, std::nullopt);
  EXPECT_EQ(said("x-max-age=60").max_age, std::nullopt);
  EXPECT_EQ(said("s-maxage=5, max-age=60").s_maxage, 5);
}

TEST(CacheControl, what_a_quoted_string_holds_is_no_directive_but_an_open_quote_hides_none) {
  EXPECT_FALSE(said("x=\"a, no-store, b\"").no_store);
  EXPECT_FALSE(said("x=\"a\\\", no-store\"").no_store);
  EXPECT_TRUE(said("x=\"a, no-store").no_store);
  EXPECT_TRUE(said("x=\"a\", no-store").no_store);
  EXPECT_TRUE(said("x=\"a\\\", no-store").no_store);
  EXPECT_TRUE(said("x y\"a, no-store").no_store);
}

TEST(CacheControl, rfc9111_5_2_2_4_fields_that_are_named_are_the_only_ones_meant) {
  const AnswerDirectives two = said("private=\"set-cookie, X-User\"");
  EXPECT_FALSE(two.is_private);
  EXPECT_EQ(two.private_fields, (std::vector<std::string>{"set-cookie", "X-User"}));
  EXPECT_EQ(said("no-cache=age").no_cache_fields, std::vector<std::string>{"age"});
  for (const char* whole : {"private", "private=", "private=\"\"", "private=\" , \"", "private=a b",
                            "private=\"a\"b", "private=\"a\", private"}) {
    EXPECT_TRUE(said(whole).is_private) << whole;
    EXPECT_TRUE(said(whole).private_fields.empty()) << whole;
  }
}

TEST(CacheControl, rfc5861_of_several_stale_times_the_smallest_counts) {
  EXPECT_EQ(said("stale-while-revalidate=9, stale-while-revalidate=3").stale_while_revalidate, 3);
  EXPECT_EQ(said("stale-while-revalidate=x").stale_while_revalidate, -1);
  EXPECT_EQ(said("stale-if-error=x, stale-if-error=4").stale_if_error, 4);
}

TEST(CacheControl, rfc9111_5_2_1_requests_say_what_they_take) {
  EXPECT_TRUE(asked("no-cache").no_cache);
  EXPECT_TRUE(asked("no-store, only-if-cached").only_if_cached);
  EXPECT_EQ(asked("max-age=9, max-age=5").max_age, 5);
  EXPECT_EQ(asked("max-age=x").max_age, 0);
  EXPECT_EQ(asked("min-fresh=9, min-fresh=x, min-fresh=5").min_fresh, 9);
  EXPECT_EQ(asked("max-stale").max_stale, RequestDirectives::any_staleness);
  EXPECT_EQ(asked("max-stale, max-stale=5").max_stale, 5);
  EXPECT_EQ(asked("max-stale=").max_stale, -1);
  EXPECT_EQ(asked("stale-if-error=5").stale_if_error, 5);
}

TEST(CacheControl, rfc9111_5_4_pragma_counts_where_there_is_no_cache_control) {
  EXPECT_TRUE(asked({{"Pragma", "x, No-Cache"}}).no_cache);
  EXPECT_FALSE(asked({{"Pragma", "no-cache"}, {"Cache-Control", "max-age=9"}}).no_cache);
  EXPECT_FALSE(asked({{"Pragma", "no-cache=x"}}).no_cache);
  EXPECT_FALSE(answer({{"Pragma", "no-cache"}}).no_cache);
}

TEST(CacheControl, rfc9213_a_targeted_field_takes_the_place_of_cache_control) {
  EXPECT_EQ(cdn("max-age=60").max_age, 60);
  EXPECT_TRUE(cdn("max-age=60").is_targeted);
  EXPECT_EQ(cdn("max-age=60;x=1, unknown").max_age, 60);
  EXPECT_TRUE(cdn("no-store").no_store);
  EXPECT_FALSE(cdn("no-store=?0, a").no_store);
  EXPECT_EQ(cdn("max-age=1, max-age=60").max_age, 60);  // RFC 8941: the later one.
  EXPECT_EQ(cdn("max-age=\"60\"").max_age, 0);
  EXPECT_EQ(cdn("max-age=60.0").max_age, 0);
  EXPECT_EQ(cdn("max-age=-60").max_age, 0);
  EXPECT_EQ(cdn("private=\"a, b\"").private_fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(
      answer({{"Spillway-Cache-Control", "max-age=9"}, {"CDN-Cache-Control", "max-age=8"}}).max_age,
      9);
}

TEST(CacheControl, rfc9213_a_targeted_field_that_is_no_dictionary_is_not_there) {
  for (const char* bad : {"", "max-age=60,", "max-age = 60", "Max-Age=60", "max-age=60 public",
                          "max-age=\"60", "max-age=:a", "max-age=(1", "max-age=1234567890123456",
                          "max-age=1.", "max-age=?2", "max-age=60;", "a=\"\\x\""}) {
    EXPECT_EQ(cdn(bad).max_age, 7) << bad;
    EXPECT_FALSE(cdn(bad).is_targeted) << bad;
  }
}

TEST(StructuredField, rfc8941_all_kinds_of_members_are_read) {
  using Kind = StructuredMember::Kind;
  const auto read = parse_structured_dictionary(
      " a, b=?0;x;y=\"z\",c=-12,d=1.5 , e=\"q\\\"\\\\\", *f=to/k:en, g=:aGk=:, h=( 1 \"a\";b  x "
      ");p ");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 8U);
  const std::vector<Kind> kinds = {Kind::boolean, Kind::boolean, Kind::integer, Kind::decimal,
                                   Kind::string,  Kind::token,   Kind::bytes,   Kind::inner_list};
  for (size_t i = 0; i < kinds.size(); ++i) EXPECT_EQ((*read)[i].kind, kinds[i]) << i;
  EXPECT_TRUE((*read)[0].is_true);
  EXPECT_FALSE((*read)[1].is_true);
  EXPECT_EQ((*read)[2].text, "-12");
  EXPECT_EQ((*read)[4].text, "q\"\\");
  EXPECT_EQ((*read)[5].key, "*f");
  EXPECT_TRUE(parse_structured_dictionary("  ")->empty());
}

}  // namespace
}  // namespace spillway::http
