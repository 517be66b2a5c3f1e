// http/url_test.cc: absolute URLs come apart, and only http ones do.
#include "http/url.h"

#include <gtest/gtest.h>

#include "http/authority.h"
#include "http/ip_text.h"

namespace spillway::http {
namespace {

TEST(Url, comes_apart) {
  const auto url = parse_url("HTTPS://[::1]:8443/a/b?c=d?e");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->is_https);
  EXPECT_EQ(url->authority, "[::1]:8443");
  EXPECT_EQ(url->host, "[::1]");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/a/b");
  EXPECT_EQ(url->query, "c=d?e");
}

TEST(Url, fills_in_port_and_path) {
  const auto url = parse_url("http://a?q");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, 80);
  EXPECT_EQ(url->path, "/");
  EXPECT_TRUE(url->has_query);
  EXPECT_EQ(parse_url("https://a")->port, 443);
}

TEST(Url, refuses_everything_else) {
  for (const char* text : {"", "a", "/a", "ftp://a/", "http://", "http:///", "http://u:p@a/",
                           "http://a:0/", "http://a b/", "http://a/#x", "://a"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Authority, compares_with_the_default_port) {
  const auto same = [](const char* a, const char* b) {
    return is_same_authority(*parse_authority(a), *parse_authority(b), 80);
  };
  EXPECT_TRUE(same("A.example", "a.EXAMPLE:80"));
  EXPECT_FALSE(same("a.example", "a.example:81"));
  EXPECT_FALSE(same("a.example", "b.example"));
  EXPECT_FALSE(parse_authority(std::string(256, 'a')));
}

TEST(IpText, reads_nodes_with_ports_brackets_and_quotes) {
  for (const char* node : {"1.2.3.4", "1.2.3.4:80", "\"1.2.3.4:80\"", "[::ffff:1.2.3.4]"}) {
    EXPECT_EQ(ip_from_node(node), IpAddress::parse("1.2.3.4").value()) << node;
  }
  for (const char* node : {"", "\"", "\"\"", "[", "[]", "[::1", "[::1]x", "1.2.3.4:", "1.2.3.4:x",
                           "1.2.3.4:99999", "unknown", "_x", "::1%eth0", "1.2.3.4 "}) {
    EXPECT_FALSE(ip_from_node(node)) << node;
  }
}

}  // namespace
}  // namespace spillway::http
