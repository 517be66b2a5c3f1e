// redis/slot_map_test.cc: slots of keys, maps of clusters, commands and addresses as text.
#include "redis/slot_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis/command.h"
#include "redis/config.h"
#include "redis/resp_parser.h"

namespace spillway::redis {
namespace {

using testing::HasSubstr;
using testing::Not;

Reply reply_of(std::string_view bytes) {
  RespParser parser;
  EXPECT_EQ(parser.parse(bytes).kind, RespEvent::Kind::reply);
  return parser.take();
}

TEST(Slot, is_that_of_the_specification) {
  EXPECT_EQ(slot_of("123456789"), 0x31C3);
  EXPECT_EQ(slot_of(""), 0);
  EXPECT_EQ(slot_of("foo"), 12182);
  EXPECT_EQ(slot_of("somekey"), 11058);
}

TEST(Slot, goes_by_what_stands_in_braces) {
  EXPECT_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
  EXPECT_EQ(slot_of("a{x}b{y}"), slot_of("x"));
  EXPECT_EQ(slot_of("foo{{bar}}zap"), slot_of("{bar"));
  EXPECT_NE(slot_of("foo{}{bar}"), slot_of("bar"));
  EXPECT_NE(slot_of("foo{bar"), slot_of("bar"));
}

TEST(SlotMap, is_read_from_the_answer_of_a_node) {
  const auto map =
      SlotMap::parse(reply_of("*2\r\n"
                              "*4\r\n:0\r\n:5460\r\n*3\r\n$9\r\n127.0.0.1\r\n:7000\r\n$1\r\na\r\n"
                              "*2\r\n$9\r\n127.0.0.1\r\n:7003\r\n"
                              "*3\r\n:5461\r\n:16383\r\n*2\r\n$0\r\n\r\n:7001\r\n"),
                     {"10.0.0.9", 7000});
  ASSERT_TRUE(map.has_value()) << map.error().detail;
  EXPECT_EQ(to_string(*map->owner(5460)), "127.0.0.1:7000");
  EXPECT_EQ(to_string(*map->owner(5461)), "10.0.0.9:7001");
  EXPECT_TRUE(map->is_complete());
  EXPECT_EQ(map->nodes().size(), 2);
}

TEST(SlotMap, knows_that_nobody_has_a_slot_until_somebody_does) {
  auto map = SlotMap::parse(reply_of("*0\r\n"), {"h", 1});
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->owner(7), nullptr);
  EXPECT_FALSE(map->is_complete());
  map->move(7, {"h", 2});
  EXPECT_EQ(map->owner(7)->port, 2);
}

TEST(SlotMap, refuses_answers_that_make_no_sense) {
  for (const std::string_view bytes :
       {"+OK\r\n", "*1\r\n*2\r\n:0\r\n:5\r\n", "*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n+h\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n+h\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:4\r\n*2\r\n+h\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n+h\r\n:0\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n*1\r\n+h\r\n"}) {
    const auto map = SlotMap::parse(reply_of(bytes), {"h", 1});
    ASSERT_FALSE(map.has_value()) << bytes;
    EXPECT_EQ(map.error().code, Error::Code::protocol);
  }
}

TEST(Redirection, says_where_and_for_how_long) {
  const auto moved = Redirection::of(reply_of("-MOVED 3999 127.0.0.1:6381\r\n"), {"h", 1});
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(moved->slot, 3999);
  EXPECT_EQ(to_string(moved->to), "127.0.0.1:6381");
  EXPECT_FALSE(moved->is_ask);
  const auto ask = Redirection::of(reply_of("-ASK 3999 :6381\r\n"), {"h", 1});
  ASSERT_TRUE(ask.has_value());
  EXPECT_EQ(to_string(ask->to), "h:6381");
  EXPECT_TRUE(ask->is_ask);
  EXPECT_EQ(Redirection::of(reply_of("-MOVED 1 ::1:6381\r\n"), {"h", 1})->to.host, "::1");
  for (const std::string_view bytes :
       {"-ERR no\r\n", "-MOVED\r\n", "-MOVED 3999\r\n", "-MOVED 16384 h:1\r\n",
        "-MOVED 3999 h:0\r\n", "-MOVED 3999 h:65536\r\n", "-ASK x h:1\r\n", "+MOVED 1 h:1\r\n"}) {
    EXPECT_FALSE(Redirection::of(reply_of(bytes), {"h", 1}).has_value()) << bytes;
  }
}

TEST(Command, is_an_array_of_strings) {
  EXPECT_EQ(command({"SET", "a\r\n", ""}), "*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$0\r\n\r\n");
  std::string two = command({"PING"});
  CommandWriter(two, 2).add("GET").add(-15);
  EXPECT_EQ(two, "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$3\r\n-15\r\n");
}

TEST(Url, is_read_in_all_its_forms) {
  const auto url = Url::parse("redis://bids:p%40ss%3aword@cache.internal:6380/3");
  ASSERT_TRUE(url.has_value()) << url.error().detail;
  EXPECT_EQ(*url, (Url{.host = "cache.internal",
                       .port = 6380,
                       .user = "bids",
                       .password = "p@ss:word",
                       .database = 3}));
  EXPECT_EQ(Url::parse("redis://10.0.0.5")->port, 6379);
  EXPECT_EQ(Url::parse("redis://10.0.0.5/")->database, 0);
  EXPECT_EQ(Url::parse("redis://[::1]:6380")->host, "::1");
  EXPECT_EQ(Url::parse("redis://:secret@h")->password, "secret");
  EXPECT_TRUE(Url::parse("rediss://h")->is_secure);
}

TEST(Url, hides_its_password_but_not_that_it_has_changed) {
  const auto url = *Url::parse("redis://bids:secret@[::1]:6380/3");
  EXPECT_EQ(to_string(url), "redis://bids:***@[::1]:6380/3");
  EXPECT_NE(url.secret_mark(), Url::parse("redis://bids:other@[::1]:6380/3")->secret_mark());
}

TEST(Url, refuses_others_without_repeating_them) {
  for (const std::string_view text :
       {"secret", "http://u:secret@h", "redis://", "redis://u:secret@", "redis://u:secret@h:0",
        "redis://u:secret@h:70000", "redis://u:secret@h/x", "redis://secret@h",
        "redis://u:secret%4@h", "redis://u:secret@h?db=1", "redis://u:secret@::1",
        "redis://u:secret@[::1", "redis://u:secret@[::1]x", "redis://u:@secret",
        "sentinel://u:secret@h", "redis://u:secret@h h"}) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url.has_value()) << text;
    EXPECT_EQ(url.error().code, Error::Code::invalid);
    EXPECT_THAT(url.error().detail, Not(HasSubstr("secret")));
    EXPECT_THAT(url.error().detail, HasSubstr("redis://10.0.0.5:6379"));
  }
}

}  // namespace
}  // namespace spillway::redis
