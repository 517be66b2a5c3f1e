// gateway/stored_answer_test.cc: heads that were written and read again, and bytes that are none.
#include "gateway/stored_answer.h"

#include <gtest/gtest.h>

#include <memory>

namespace spillway::gateway {
namespace {

std::unique_ptr<StoredAnswer> sample() {
  auto answer = std::make_unique<StoredAnswer>();
  answer->status = 404;
  answer->body_bytes = 1'234'567'890'123;
  answer->freshness = {.answered_at = 1'800'000'000,
                       .initial_age = 7,
                       .lifetime = 300,
                       .stale_while_revalidate = 30,
                       .stale_if_error = -1,
                       .is_always_validated = true,
                       .heeds_staleness_wanted = false};
  EXPECT_TRUE(answer->fields.add("Content-Type", "text/html; charset=utf-8"));
  EXPECT_TRUE(answer->fields.add("X-Empty", ""));
  return answer;
}

TEST(StoredAnswer, is_what_was_written) {
  const auto written = sample();
  const std::string bytes = encode(*written);
  const auto read = std::make_unique<StoredAnswer>();
  ASSERT_TRUE(decode(bytes, *read));
  EXPECT_EQ(read->status, 404);
  EXPECT_EQ(read->body_bytes, written->body_bytes);
  EXPECT_EQ(read->freshness.lifetime, 300);
  EXPECT_EQ(read->freshness.stale_while_revalidate, 30);
  EXPECT_EQ(read->freshness.stale_if_error, -1);
  EXPECT_TRUE(read->freshness.is_always_validated);
  EXPECT_FALSE(read->freshness.is_never_stale);
  EXPECT_FALSE(read->freshness.heeds_staleness_wanted);
  ASSERT_EQ(read->fields.size(), 2U);
  EXPECT_EQ(read->fields.value(http::Field::content_type), "text/html; charset=utf-8");
  EXPECT_EQ(encode(*read), bytes);
}

TEST(StoredAnswer, is_not_read_if_a_byte_is_missing_or_too_much) {
  const std::string bytes = encode(*sample());
  const auto read = std::make_unique<StoredAnswer>();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size), *read)) << size;
  }
  EXPECT_FALSE(decode(bytes + "x", *read));
  std::string other = bytes;
  other[1] = 2;  // Another version.
  EXPECT_FALSE(decode(other, *read));
  EXPECT_FALSE(decode_vary(bytes));
}

TEST(StoredAnswer, brings_no_line_of_its_own) {
  const auto answer = std::make_unique<StoredAnswer>();
  const auto read = std::make_unique<StoredAnswer>();
  for (const auto& [name, value] : {std::pair("x", "a\r\nset-cookie: b"), std::pair("x\r\ny", "a"),
                                    std::pair("", "a"), std::pair("x", "a ")}) {
    answer->fields.clear();
    EXPECT_TRUE(answer->fields.add(name, value));
    EXPECT_FALSE(decode(encode(*answer), *read)) << name << ": " << value;
  }
}

TEST(StoredAnswer, names_what_answers_vary_by) {
  const std::vector<std::string> names = {"accept-encoding", "x-tenant"};
  EXPECT_EQ(decode_vary(encode_vary(names)), names);
  EXPECT_EQ(decode_vary(encode_vary({})), std::vector<std::string>{});
  EXPECT_EQ(decode_vary(encode_vary(std::vector<std::string>(33, "x"))), std::nullopt);
  const auto read = std::make_unique<StoredAnswer>();
  EXPECT_FALSE(decode(encode_vary(names), *read));
}

}  // namespace
}  // namespace spillway::gateway
