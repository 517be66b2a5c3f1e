// http/conditions_test.cc: what a client has already, and dates in their three forms.
#include "http/conditions.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "http/http_date.h"

namespace spillway::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::chrono::sys_seconds written{std::chrono::seconds(784'111'777)};
constexpr const char* its_date = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr const char* before = "Sun, 06 Nov 1994 08:49:36 GMT";

RequestHead request(const Fields& fields, Method method) {
  RequestHead head;
  head.method = method;
  for (const auto& [name, value] : fields) EXPECT_TRUE(head.fields.add(name, value));
  return head;
}

Precondition of(const Fields& fields, Method method = Method::get, const char* etag = "\"a\"") {
  return evaluate(request(fields, method), {.etag = etag, .last_modified = written});
}

TEST(HttpDate, is_read_in_all_three_forms_and_written_in_one) {
  for (const char* text : {its_date, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                           "SUN, 06 NOV 1994 08:49:37 gmt", "sunday, 06-nov-94 08:49:37 Gmt"}) {
    EXPECT_EQ(parse_http_date(text), written) << text;
  }
  char text[http_date_size];
  write_http_date(written, text);
  EXPECT_EQ(std::string_view(text, http_date_size), its_date);
  for (const char* bad : {"",
                          "Sun",
                          "Sun, 06 Nov 1994 08:49:37",
                          "Sun, 31 Feb 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 24:00:00 GMT",
                          "Sun, 6 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nov 94 08:49:37 GMT",
                          "Sun, 06-Nov-1994 08:49:37 GMT",
                          "Sun 06 Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 08:49:37 UTC",
                          "Sun, 06  Nov 1994 08:49:37 GMT",
                          "Sun, 06 Nov 1994 8:49:37 GMT",
                          "Sun, 06 Nov 1994 08.49.37 GMT",
                          "Son, 06 Nov 1994 08:49:37 GMT",
                          "Sunday, 06 Nov 1994 08:49:37 GMT",
                          "Sun, 06-Nov-94 08:49:37 GMT",
                          "Sunday Nov  6 08:49:37 1994",
                          "Sun, 06 Nov 1994 08:49:37 GMT ",
                          "Sun, 06 Nov 199a 08:49:37 GMT",
                          "784111777"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

TEST(Conditions, a_client_that_has_it_is_told_so) {
  EXPECT_EQ(of({}), Precondition::holds);
  EXPECT_EQ(of({{"If-None-Match", "\"b\", W/\"a\""}}), Precondition::not_modified);
  EXPECT_EQ(of({{"If-None-Match", "*"}}, Method::head), Precondition::not_modified);
  EXPECT_EQ(of({{"If-None-Match", "\"b\""}}), Precondition::holds);
  EXPECT_EQ(of({{"If-None-Match", "\"x, \"a\""}}), Precondition::holds);  // Malformed.
  EXPECT_EQ(of({{"If-Modified-Since", its_date}}), Precondition::not_modified);
  EXPECT_EQ(of({{"If-Modified-Since", before}}), Precondition::holds);
  EXPECT_EQ(of({{"If-Modified-Since", "yesterday"}}), Precondition::holds);
  // The tag decides where there is one.
  EXPECT_EQ(of({{"If-None-Match", "\"b\""}, {"If-Modified-Since", its_date}}), Precondition::holds);
}

TEST(Conditions, a_client_that_means_another_state_is_refused) {
  EXPECT_EQ(of({{"If-Match", "\"a\""}}), Precondition::holds);
  EXPECT_EQ(of({{"If-Match", "*"}}), Precondition::holds);
  EXPECT_EQ(of({{"If-Match", "\"b\", \"c\""}}), Precondition::failed);
  EXPECT_EQ(of({{"If-Match", "W/\"a\""}}), Precondition::failed);
  EXPECT_EQ(of({{"If-Match", "\"a\""}}, Method::get, "W/\"a\""), Precondition::failed);
  EXPECT_EQ(of({{"If-Match", "rubbish"}}), Precondition::failed);
  EXPECT_EQ(of({{"If-Unmodified-Since", its_date}}), Precondition::holds);
  EXPECT_EQ(of({{"If-Unmodified-Since", before}}), Precondition::failed);
  EXPECT_EQ(of({{"If-None-Match", "*"}}, Method::put), Precondition::failed);
}

TEST(Conditions, a_tag_may_have_commas_in_it) {
  EXPECT_EQ(of({{"If-None-Match", "\"x,y\" , \"a\""}}), Precondition::not_modified);
  EXPECT_EQ(of({{"If-None-Match", "\"a,b\""}}), Precondition::holds);
}

TEST(Conditions, a_part_is_sent_of_the_state_that_the_client_has) {
  const auto applies = [](const Fields& fields, const char* etag = "\"a\"") {
    return range_applies(request(fields, Method::get).fields,
                         {.etag = etag, .last_modified = written});
  };
  EXPECT_TRUE(applies({}));
  EXPECT_TRUE(applies({{"If-Range", "\"a\""}}));
  EXPECT_FALSE(applies({{"If-Range", "\"b\""}}));
  EXPECT_FALSE(applies({{"If-Range", "W/\"a\""}}, "W/\"a\""));
  EXPECT_TRUE(applies({{"If-Range", its_date}}));
  EXPECT_FALSE(applies({{"If-Range", before}}));
  EXPECT_FALSE(applies({{"If-Range", "x"}}));
}

}  // namespace
}  // namespace spillway::http
