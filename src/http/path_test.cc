// http/path_test.cc: one form for every way of writing a path, and what has none.
#include "http/path.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace spillway::http {
namespace {

std::string normal(std::string_view path) {
  std::array<char, 512> buffer;
  const auto result = normalise_path(path, buffer);
  return result ? std::string(*result) : std::to_string(result.error().status);
}

TEST(Path, normal_paths_are_returned_as_given) {
  std::array<char, 1> no_room;
  for (const std::string_view path :
       {"/", "/a", "/a/b.c/", "/a;p=1", "/a:b@c,d", "/~x/$&'()*+=!"}) {
    const auto result = normalise_path(path, no_room);
    ASSERT_TRUE(result) << path;
    EXPECT_EQ(result->data(), path.data());
    EXPECT_EQ(*result, path);
  }
  EXPECT_EQ(normal("*"), "*");
}

TEST(Path, has_one_form) {
  const struct {
    const char* path;
    const char* form;
  } cases[] = {
      {"/%61%2D%7e", "/a-~"},            // Unreserved: decoded.
      {"/%c3%a9%3f", "/%C3%A9%3F"},      // The rest: upper case.
      {"/a%2fb", "/a%2Fb"},              // Never a separator.
      {"/a%2f...%2fb", "/a%2F...%2Fb"},  // So this is one segment.
      {"/a%5cb.%2f.c", "/a%5Cb.%2F.c"},
      {"/%252e%252e/a", "/%252e%252e/a"},  // Not decoded twice.
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/.%2e/b", "/b"},
      {"/.", "/"},
      {"/a/..", "/"},
      {"/a//b///c//", "/a/b/c/"},
      {"//", "/"},
      {"//a", "/a"},
      {"/a//../b", "/b"},
      {"/...", "/..."},
      {"/.a/..b", "/.a/..b"},
      {"/.well-known/x", "/.well-known/x"},
      {"/a\"<>^`{|}[]", "/a%22%3C%3E%5E%60%7B%7C%7D%5B%5D"},
      {"/%5c", "/%5C"},
      {"/%0a", "/%0A"},
      {"/a/b/c/../../d", "/a/d"},
  };
  for (const auto& [path, form] : cases) {
    EXPECT_EQ(normal(path), form) << path;
    EXPECT_EQ(normal(form), form) << path;
  }
}

TEST(Path, refuses_what_servers_read_differently) {
  for (const char* path : {"",
                           "a",
                           "http://a/",
                           "/..",
                           "/../a",
                           "/a/../..",
                           "/%2e%2e/a",
                           "/a//../../b",
                           "/a\\b",
                           "/..\\a",
                           "/a%00",
                           "/%",
                           "/%4",
                           "/%zz",
                           "/a%2",
                           "/..;/a",
                           "/a/..;x=1/b",
                           "/.;/a",
                           "/%2e%2e;/a",
                           "/a/..;",
                           "/caf\xc3\xa9",
                           "/a b",
                           "/a#b",
                           "/a\tb",
                           "/a%2f..%2fb",
                           "/a/..%2fb",
                           "/a%2F%2e%2e",
                           "/a%5c..",
                           "/.%5Ca",
                           "/a/..;x%2fb",
                           "**"}) {
    EXPECT_EQ(normal(path), "400") << path;
  }
}

TEST(Path, a_small_buffer_is_refused_and_not_overrun) {
  std::array<char, 4> buffer;
  EXPECT_EQ(normalise_path("/a//b", buffer).value(), "/a/b");
  const auto result = normalise_path("/a//bc", buffer);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().status, 414);
}

TEST(Query, walks_its_parameters) {
  QueryReader reader("a=1&&b&c==&=d&");
  const struct {
    const char* name;
    const char* value;
  } expected[] = {{"a", "1"}, {"b", ""}, {"c", "="}, {"", "d"}};
  for (const auto& [name, value] : expected) {
    const auto parameter = reader.next();
    ASSERT_TRUE(parameter);
    EXPECT_EQ(parameter->name, name);
    EXPECT_EQ(parameter->value, value);
  }
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(count_parameters("a=1&&b&c"), 3U);
  EXPECT_EQ(count_parameters(""), 0U);
}

TEST(Query, compares_decoded) {
  EXPECT_TRUE(decodes_to("a%20b+c", "a b c"));
  EXPECT_TRUE(decodes_to("100%", "100%"));
  EXPECT_TRUE(decodes_to("%zz", "%zz"));
  EXPECT_FALSE(decodes_to("a", "ab"));
  EXPECT_FALSE(decodes_to("ab", "a"));
}

}  // namespace
}  // namespace spillway::http
