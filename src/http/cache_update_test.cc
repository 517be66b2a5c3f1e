// http/cache_update_test.cc: stored answers renewed by later ones, and made invalid.
#include "http/cache_update.h"

#include <gtest/gtest.h>

#include "http/cache_testing.h"

namespace spillway::http {
namespace {

using Fields = TestFields;

bool validates(const Fields& stored, const Fields& update) {
  return is_validated_by(TestExchange(stored).answer(), TestExchange(update).answer());
}

TEST(CacheUpdate, rfc9111_4_3_4_a_304_renews_the_answer_that_it_names) {
  const Fields stored = {{"ETag", "\"a\""}, {"Last-Modified", "x"}};
  EXPECT_TRUE(validates(stored, {{"ETag", "\"a\""}}));
  EXPECT_TRUE(validates(stored, {{"ETag", "W/\"a\""}}));
  EXPECT_TRUE(validates(stored, {}));
  EXPECT_TRUE(validates(stored, {{"Last-Modified", "x"}}));
  EXPECT_FALSE(validates(stored, {{"ETag", "\"b\""}}));
  EXPECT_FALSE(validates(stored, {{"Last-Modified", "y"}}));
  EXPECT_FALSE(validates({{"Last-Modified", "x"}}, {{"ETag", "\"a\""}}));
  EXPECT_TRUE(validates({}, {{"Last-Modified", "x"}}));
}

TEST(CacheUpdate, rfc9111_4_3_5_an_answer_to_head_confirms_or_contradicts) {
  const auto confirms = [](const Fields& head) {
    return is_confirmed_by_head(TestExchange({{"ETag", "\"a\""}, {"Last-Modified", "x"}}).answer(),
                                5, TestExchange(head).answer());
  };
  EXPECT_TRUE(confirms({}));
  EXPECT_TRUE(confirms({{"Content-Length", "5"}, {"ETag", "\"a\""}}));
  EXPECT_FALSE(confirms({{"Content-Length", "6"}}));
  EXPECT_FALSE(confirms({{"ETag", "\"b\""}}));
  EXPECT_FALSE(confirms({{"Last-Modified", "y"}}));
}

TEST(CacheUpdate, rfc9111_3_2_fields_of_an_update_replace_their_namesakes) {
  const TestExchange stored({{"Content-Type", "a"},
                             {"X-A", "1"},
                             {"x-a", "2"},
                             {"X-B", "1"},
                             {"Content-Length", "5"},
                             {"Content-Encoding", "br"}});
  const TestExchange update({{"x-A", "3"},
                             {"Content-Type", "b"},
                             {"Content-Length", "0"},
                             {"Content-Encoding", "gzip"},
                             {"Connection", "close, X-B"},
                             {"X-B", "2"},
                             {"Keep-Alive", "x"},
                             {"X-C", "1"},
                             {"x-a", "4"}});
  HeaderList merged;
  ASSERT_TRUE(merge_update(stored.answer(), update.answer(), merged));
  Fields result;
  for (const HeaderField& field : merged) result.emplace_back(field.name, field.value);
  EXPECT_EQ(result, (Fields{{"Content-Type", "a"},
                            {"X-B", "1"},
                            {"Content-Length", "5"},
                            {"Content-Encoding", "br"},
                            {"x-A", "3"},
                            {"X-C", "1"},
                            {"x-a", "4"}}));
}

TEST(CacheUpdate, too_many_fields_are_no_update) {
  Fields many;
  for (size_t i = 0; i < HeaderList::fields_max; ++i)
    many.emplace_back("s" + std::to_string(i), "");
  HeaderList merged;
  EXPECT_TRUE(merge_update(TestExchange(many).answer(), {}, merged));
  EXPECT_FALSE(
      merge_update(TestExchange(many).answer(), TestExchange({{"x", ""}}).answer(), merged));
}

TEST(CacheUpdate, rfc9111_4_4_what_an_unsafe_request_makes_invalid) {
  for (const Method method :
       {Method::post, Method::put, Method::delete_, Method::patch, Method::other}) {
    EXPECT_TRUE(invalidates(method, 200));
    EXPECT_TRUE(invalidates(method, 303));
    EXPECT_FALSE(invalidates(method, 404));
    EXPECT_FALSE(invalidates(method, 500));
    EXPECT_FALSE(invalidates(method, 100));
  }
  for (const Method method : {Method::get, Method::head, Method::options, Method::trace}) {
    EXPECT_FALSE(invalidates(method, 200));
  }
}

// "PATH" or "PATH?QUERY"; "-": nothing.
std::string target(std::string_view value, std::string_view authority = "shop.example") {
  const ResourceName request{
      .scheme = "https", .authority = authority, .path = "/a/b", .query = "q", .has_query = true};
  std::string buffer;
  const auto found = same_origin_target(value, request, buffer);
  if (!found) return "-";
  EXPECT_EQ(found->authority, authority);
  return std::string(found->path) + (found->has_query ? "?" + std::string(found->query) : "");
}

TEST(CacheUpdate, rfc9111_4_4_only_the_same_origin_can_be_named) {
  EXPECT_EQ(target("https://shop.example/x?y"), "/x?y");
  EXPECT_EQ(target("HTTPS://SHOP.example:443/x"), "/x");
  EXPECT_EQ(target("https://shop.example"), "/");
  EXPECT_EQ(target("//shop.example/x"), "/x");
  EXPECT_EQ(target("https://shop.example/x", "shop.example:443"), "/x");
  EXPECT_EQ(target("https://[::1]:8443/x", "[::1]:8443"), "/x");
  EXPECT_EQ(target("http://shop.example/x"), "-");
  EXPECT_EQ(target("https://shop.example:8443/x"), "-");
  EXPECT_EQ(target("https://other.example/x"), "-");
  EXPECT_EQ(target("//other.example/x"), "-");
  EXPECT_EQ(target("javascript:x"), "-");
  EXPECT_EQ(target("https:x"), "-");
}

TEST(CacheUpdate, rfc3986_5_2_relative_references_are_resolved) {
  EXPECT_EQ(target("/x"), "/x");
  EXPECT_EQ(target("/x?y#z"), "/x?y");
  EXPECT_EQ(target("x"), "/a/x");
  EXPECT_EQ(target("../x?"), "/a/../x?");
  EXPECT_EQ(target("?y"), "/a/b?y");
  EXPECT_EQ(target(""), "/a/b?q");
  EXPECT_EQ(target("x?a:b"), "/a/x?a:b");
}

}  // namespace
}  // namespace spillway::http
