// http/vary_test.cc: requests that one stored answer fits, and those that it does not.
#include "http/vary.h"

#include <gtest/gtest.h>

#include "http/cache_testing.h"

namespace spillway::http {
namespace {

using Names = std::vector<std::string>;

std::optional<Names> names(const TestFields& answer) {
  return vary_names(TestExchange(answer).answer());
}

std::string key(const Names& names, const TestFields& request) {
  std::string text;
  append_vary_key(names, TestExchange({}, 200, request).request(), text);
  return text;
}

TEST(Vary, rfc9110_12_5_5_names_are_gathered_from_all_lines) {
  EXPECT_EQ(names({}), Names{});
  EXPECT_EQ(names({{"Vary", "B, a"}, {"Vary", ",A, c"}}), (Names{"a", "b", "c"}));
  EXPECT_EQ(names({{"Vary", "a, *"}}), std::nullopt);
  std::string many;
  for (size_t i = 0; i <= vary_names_max; ++i) many += "n" + std::to_string(i) + ",";
  EXPECT_EQ(names({{"Vary", many}}), std::nullopt);
}

TEST(Vary, rfc9111_4_1_values_are_compared_without_what_means_nothing) {
  const Names by = {"a", "b"};
  const auto same = [&](const TestFields& one, const TestFields& other) {
    return key(by, one) == key(by, other);
  };
  EXPECT_TRUE(same({{"A", "1,2"}}, {{"a", " 1 ,, 2"}}));
  EXPECT_TRUE(same({{"A", "1"}, {"A", "2"}}, {{"A", "1, 2"}}));
  EXPECT_TRUE(same({{"C", "1"}}, {{"C", "2"}}));
  EXPECT_FALSE(same({{"A", "1"}}, {{"A", "2"}}));
  EXPECT_FALSE(same({{"A", "1, 2"}}, {{"A", "2, 1"}}));  // Order may mean something.
  EXPECT_FALSE(same({{"A", "x"}}, {{"A", "X"}}));
  EXPECT_FALSE(same({{"A", "\"1, 2\""}}, {{"A", "\"1,2\""}}));  // Between quotes.
  EXPECT_FALSE(same({{"A", ""}}, {}));
  EXPECT_FALSE(same({{"A", "1"}}, {{"B", "1"}}));
  EXPECT_FALSE(same({{"A", "1"}, {"B", "2"}}, {{"A", "12"}}));
}

TEST(Vary, rfc9110_12_5_3_accept_encoding_counts_by_what_it_allows) {
  const Names by = {"accept-encoding"};
  const auto of = [&](const char* value) { return key(by, {{"Accept-Encoding", value}}); };
  EXPECT_EQ(of("gzip, br"), of("br;q=0.5, GZIP;q=1.0"));
  EXPECT_EQ(of("gzip, deflate"), of("x-gzip"));
  EXPECT_EQ(of("*"), of("zstd, br, gzip"));
  EXPECT_EQ(of("*, gzip;q=0"), of("zstd, br"));
  EXPECT_EQ(of("identity"), key(by, {}));
  EXPECT_EQ(of("gzip;q=0"), key(by, {}));
  EXPECT_EQ(of("gzip;q=0, gzip"), key(by, {}));  // As first said.
  EXPECT_NE(of("gzip"), of("br"));
}

}  // namespace
}  // namespace spillway::http
