// redis/resp_parser_test.cc: replies of both versions, their limits, and what is no reply.
#include "redis/resp_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace spillway::redis {
namespace {

using Kind = Reply::Kind;
using testing::HasSubstr;

// The one reply that `bytes` are, read whole and byte by byte.
Reply parsed(std::string_view bytes) {
  RespParser whole;
  const RespEvent event = whole.parse(bytes);
  EXPECT_EQ(event.kind, RespEvent::Kind::reply) << bytes << ": " << event.trouble;
  EXPECT_EQ(event.consumed, bytes.size());
  RespParser parser;
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    EXPECT_EQ(parser.parse(bytes.substr(i, 1)).kind, RespEvent::Kind::need_more) << bytes << i;
  }
  EXPECT_EQ(parser.parse(bytes.substr(bytes.size() - 1)).kind, RespEvent::Kind::reply);
  EXPECT_EQ(parser.take().kind,
            whole.parse(bytes).kind == RespEvent::Kind::reply ? whole.take().kind : Kind::push);
  RespParser again;
  (void)again.parse(bytes);
  return again.take();
}

std::string refusal(std::string_view bytes, const RespLimits& limits = {}) {
  RespParser parser(limits);
  const RespEvent event = parser.parse(bytes);
  EXPECT_EQ(event.kind, RespEvent::Kind::violation) << bytes;
  return std::string(event.trouble);
}

TEST(RespParser, reads_scalars) {
  EXPECT_EQ(parsed("+OK\r\n").text, "OK");
  EXPECT_EQ(parsed("+OK\r\n").kind, Kind::status);
  EXPECT_EQ(parsed("-MOVED 3999 127.0.0.1:6381\r\n").error_code(), "MOVED");
  EXPECT_EQ(parsed("!9\r\nERR no\r\nx\r\n").text, "ERR no\r\nx");
  EXPECT_EQ(parsed(":-42\r\n").integer, -42);
  EXPECT_EQ(parsed(":+42\r\n").integer, 42);
  EXPECT_EQ(parsed("$4\r\na\r\nb\r\n").text, "a\r\nb");
  EXPECT_EQ(parsed("$0\r\n\r\n").kind, Kind::string);
  EXPECT_EQ(parsed("#t\r\n").integer, 1);
  EXPECT_EQ(parsed("#f\r\n").integer, 0);
  EXPECT_EQ(parsed(",1.5e3\r\n").number, 1500);
  EXPECT_EQ(parsed(",-inf\r\n").number, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(parsed(",nan\r\n").number));
  EXPECT_EQ(parsed("(3492890328409238509324850943850943825024385\r\n").kind, Kind::big_number);
  EXPECT_EQ(parsed("=8\r\ntxt:text\r\n").text, "text");
}

TEST(RespParser, reads_all_three_nulls) {
  for (const auto* bytes : {"$-1\r\n", "*-1\r\n", "_\r\n"}) {
    EXPECT_EQ(parsed(bytes).kind, Kind::null) << bytes;
  }
}

TEST(RespParser, reads_aggregates_within_aggregates) {
  const Reply reply = parsed("*3\r\n*0\r\n%1\r\n+key\r\n~2\r\n:1\r\n:2\r\n$-1\r\n");
  ASSERT_EQ(reply.items.size(), 3);
  EXPECT_EQ(reply.items[0].kind, Kind::array);
  ASSERT_EQ(reply.items[1].items.size(), 2);
  EXPECT_EQ(reply.items[1].items[1].kind, Kind::set);
  EXPECT_EQ(reply.items[1].items[1].items[1].integer, 2);
  EXPECT_EQ(reply.items[2].kind, Kind::null);
}

TEST(RespParser, drops_attributes_wherever_they_stand) {
  EXPECT_EQ(parsed("|1\r\n+ttl\r\n:3600\r\n+OK\r\n").text, "OK");
  const Reply reply = parsed("*2\r\n|1\r\n+ttl\r\n:1\r\n:5\r\n|0\r\n:6\r\n");
  ASSERT_EQ(reply.items.size(), 2);
  EXPECT_EQ(reply.items[1].integer, 6);
}

TEST(RespParser, leaves_what_belongs_to_the_next_reply) {
  RespParser parser;
  const std::string_view bytes = ">2\r\n+message\r\n+x\r\n:1\r\n:2\r\n";
  RespEvent event = parser.parse(bytes);
  EXPECT_EQ(parser.take().kind, Kind::push);
  event = parser.parse(bytes.substr(event.consumed));
  EXPECT_EQ(event.consumed, 4);
  EXPECT_EQ(parser.take().integer, 1);
}

TEST(RespParser, refuses_what_is_no_reply) {
  const struct {
    std::string_view bytes;
    std::string_view why;
  } cases[] = {
      {"HTTP/1.1 400 Bad Request\r\n", "unknown byte"},
      {"+OK\n", "CR LF"},
      {"+O\rK\r\n", "CR LF"},
      {"\r\n", "CR LF"},
      {":1x\r\n", "integer"},
      {":\r\n", "integer"},
      {":+-1\r\n", "integer"},
      {":99999999999999999999\r\n", "integer"},
      {",1.5.5\r\n", "number"},
      {"(12a\r\n", "big number"},
      {"(-\r\n", "big number"},
      {"#y\r\n", "boolean"},
      {"_x\r\n", "null"},
      {"$-2\r\n", "length"},
      {"$?\r\n", "length"},
      {"$+1\r\n", "length"},
      {"!-1\r\n", "length"},
      {"$1\r\nabc", "does not end"},
      {"*?\r\n", "count"},
      {"%-1\r\n", "count"},
      {"=3\r\nabc\r\n", "format"},
      {"=5\r\nabcde\r\n", "format"},
      {"*1\r\n>1\r\n", "push"},
  };
  for (const auto& [bytes, why] : cases) EXPECT_THAT(refusal(bytes), HasSubstr(why)) << bytes;
}

TEST(RespParser, refuses_what_is_announced_beyond_its_limits) {
  EXPECT_THAT(refusal("$4194305\r\n"), HasSubstr("string is too long"));
  EXPECT_THAT(refusal("*100001\r\n"), HasSubstr("too many elements"));
  EXPECT_THAT(refusal("*18446744073709551615\r\n"), HasSubstr("too many elements"));
  EXPECT_THAT(refusal("%60000\r\n"), HasSubstr("too many elements"));
  EXPECT_THAT(refusal("*60000\r\n*60000\r\n"), HasSubstr("too many elements"));
  std::string nested;
  for (int i = 0; i < 17; ++i) nested += "*1\r\n";
  EXPECT_THAT(refusal(nested), HasSubstr("nested"));
  EXPECT_THAT(refusal("+" + std::string(20'000, 'x')), HasSubstr("line"));
  EXPECT_THAT(refusal("*2\r\n$3\r\nabc\r\n$3\r\n", {.reply_bytes_max = 5}),
              HasSubstr("reply is too long"));
}

}  // namespace
}  // namespace spillway::redis
