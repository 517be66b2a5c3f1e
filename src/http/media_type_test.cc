// http/media_type_test.cc: endings of names, and what clients say in Accept.
#include "http/media_type.h"

#include <gtest/gtest.h>

namespace spillway::http {
namespace {

TEST(MediaType, goes_by_the_last_ending_in_any_case) {
  EXPECT_EQ(media_type_of("index.html"), "text/html; charset=utf-8");
  EXPECT_EQ(media_type_of("a/b.c/app.3f2a.JS"), "text/javascript; charset=utf-8");
  EXPECT_EQ(media_type_of("logo.woff2"), "font/woff2");
  for (const char* unknown : {"", "README", "a.b/c", "x.", "x.qqq", ".", "html"}) {
    EXPECT_EQ(media_type_of(unknown), "application/octet-stream") << unknown;
  }
}

uint16_t weight(const char* accept, const char* type) {
  HeaderList fields;
  if (accept != nullptr) EXPECT_TRUE(fields.add("Accept", accept));
  return weight_of(fields, type);
}

TEST(Accept, the_most_specific_range_decides) {
  const char* browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  EXPECT_EQ(weight(browser, "text/html; charset=utf-8"), 1000);
  EXPECT_EQ(weight(browser, "application/json"), 800);
  EXPECT_EQ(weight("*/*, text/*;q=0.5, text/html;q=0.1", "text/html"), 100);
  EXPECT_EQ(weight("text/html;q=0.1, text/*;q=0.5, */*", "text/css"), 500);
  EXPECT_EQ(weight("application/json", "text/html"), 0);
  EXPECT_EQ(weight("TEXT/HTML", "text/html"), 1000);
  EXPECT_EQ(weight("text/html;q=0, */*", "text/html"), 0);
}

TEST(Accept, nothing_said_is_anything_and_what_is_malformed_is_not_there) {
  EXPECT_EQ(weight(nullptr, "text/html"), 1000);
  EXPECT_EQ(weight("", "text/html"), 0);
  EXPECT_EQ(weight("text/html;level=1", "text/html"), 0);
  EXPECT_EQ(weight("text/html;q=7, */*;q=0.3", "text/html"), 300);
  EXPECT_EQ(weight("text*", "text/html"), 0);
  EXPECT_EQ(weight("*", "text/html"), 0);
}

}  // namespace
}  // namespace spillway::http
