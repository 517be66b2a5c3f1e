// gateway/match_config_test.cc: the patterns that routes are written in.
#include "gateway/match_config.h"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

TEST(HostPattern, takes_names_wildcards_and_addresses) {
  EXPECT_EQ(HostPattern::parse("Shop.Example")->text, "shop.example");
  EXPECT_EQ(HostPattern::parse("*.shops.example")->suffix(), ".shops.example");
  EXPECT_EQ(HostPattern::parse("[2001:DB8:0::1]")->text, "[2001:db8::1]");
  EXPECT_TRUE(HostPattern::parse("10.0.0.1"));
  EXPECT_TRUE(HostPattern().is_any());
}

TEST(HostPattern, refuses_ports_inner_stars_and_what_is_no_name) {
  for (const char* text : {"", "*", "*.", "a.*.b", "*a.b", "a:80", "a..b", ".a", "a.", "-a", "a b",
                           "http://a", "a/b", "[::1", "[1.2.3.4]", "\xc3\xa4.example"}) {
    EXPECT_FALSE(HostPattern::parse(text)) << text;
  }
  EXPECT_FALSE(HostPattern::parse(std::string(64, 'a')));
}

TEST(PathPattern, takes_paths_and_prefixes_of_whole_segments) {
  for (const char* text : {"/", "/x", "/x/", "/x/*", "/*", "/a%2Cb", "/a%C3%A4", "/a:b@c;d=e"}) {
    EXPECT_TRUE(PathPattern::parse(text)) << text;
  }
  EXPECT_EQ(PathPattern::parse("/static/*")->prefix(), "/static/");
  EXPECT_FALSE(PathPattern::parse("/static")->is_prefix());
}

// What is not normalised can never equal a normalised path: better said than never matched.
TEST(PathPattern, refuses_what_a_normalised_path_cannot_be) {
  for (const char* text : {"",      "x",       "*",    "/x*",  "/*/x",  "//",       "/a//b", "/.",
                           "/a/..", "/a/../b", "/a?b", "/a#b", "/a b",  "/%2f",     "/%2F",  "/%41",
                           "/%c3",  "/%",      "/%4",  "/%00", "/a\\b", "/\xc3\xa4"}) {
    EXPECT_FALSE(PathPattern::parse(text)) << text;
  }
}

TEST(PathPattern, covers_what_it_matches_wholly) {
  const auto covers = [](const char* wide, const char* narrow) {
    return PathPattern::parse(wide)->covers(*PathPattern::parse(narrow));
  };
  EXPECT_TRUE(covers("/*", "/a/*"));
  EXPECT_TRUE(covers("/a/*", "/a/b"));
  EXPECT_TRUE(covers("/a", "/a"));
  EXPECT_FALSE(covers("/a/*", "/a"));
  EXPECT_FALSE(covers("/a/*", "/ab/*"));
  EXPECT_FALSE(covers("/a/b", "/a/*"));
}

TEST(Method, takes_capitals_and_never_connect_or_trace) {
  EXPECT_TRUE(Method::parse("PROPFIND"));
  for (const char* text : {"", "get", "GET ", "CONNECT", "TRACE"}) {
    EXPECT_FALSE(Method::parse(text)) << text;
  }
}

}  // namespace
}  // namespace spillway::gateway
