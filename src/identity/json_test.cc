// identity/json_test.cc: RFC 8259 to the letter, and no name twice.
#include "identity/json.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway::identity {
namespace {

using Kind = JsonValue::Kind;

struct Read {
  explicit Read(std::string its_text) : text(std::move(its_text)), space(text.size(), '\0') {
    is_read = object.read(text, space);
  }
  std::string text;
  std::string space;
  JsonObject object;
  bool is_read = false;
};

TEST(JsonObject, has_members_of_every_kind) {
  const Read read(
      R"( {"s":"text" , "n":-12.5e+3,"t":true,"f":false,"z":null,"a":[1,[2],{}],"o":{"x":[]}} )");
  ASSERT_TRUE(read.is_read);
  EXPECT_EQ(read.object.members().size(), 7U);
  EXPECT_EQ(read.object.string("s"), "text");
  EXPECT_EQ(read.object.string("n"), "");
  EXPECT_EQ(read.object.find("n")->text, "-12.5e+3");
  EXPECT_EQ(read.object.find("t")->kind, Kind::boolean);
  EXPECT_EQ(read.object.find("z")->kind, Kind::null);
  EXPECT_EQ(read.object.find("a")->text, "[1,[2],{}]");
  EXPECT_EQ(read.object.find("o")->kind, Kind::object);
  EXPECT_EQ(read.object.find("missing"), nullptr);
}

TEST(JsonObject, resolves_escapes_in_names_and_strings) {
  const Read read(R"({"\u0061b":"x\n\"\\\/\t\u00e9\ud83d\ude00y","plain":"z"})");
  ASSERT_TRUE(read.is_read);
  EXPECT_EQ(read.object.string("ab"), "x\n\"\\/\t\u00e9\U0001F600y");
  EXPECT_EQ(read.object.string("plain"), "z");
}

TEST(JsonObject, takes_an_empty_object) {
  EXPECT_TRUE(Read("{}").is_read);
  EXPECT_TRUE(Read(" { } ").is_read);
}

TEST(JsonObject, refuses_what_is_not_one_object_of_rfc_8259) {
  for (const char* text : {
           "",
           " ",
           "[]",
           "1",
           "\"x\"",
           "{",
           "}",
           "{}{}",
           "{} x",
           "{\"a\"}",
           "{\"a\":}",
           "{\"a\":1,}",
           "{,}",
           "{a:1}",
           "{'a':1}",
           "{\"a\" 1}",
           "{\"a\":1 \"b\":2}",
           "{\"a\":01}",
           "{\"a\":+1}",
           "{\"a\":.5}",
           "{\"a\":1.}",
           "{\"a\":1e}",
           "{\"a\":-}",
           "{\"a\":0x1}",
           "{\"a\":NaN}",
           "{\"a\":True}",
           "{\"a\":tru}",
           "{\"a\":nul}",
           "{\"a\":\"b}",
           "{\"a\":\"\n\"}",
           "{\"a\":\"\\x\"}",
           "{\"a\":\"\\u12\"}",
           "{\"a\":\"\\u12g4\"}",
           "{\"a\":\"\\ud800\"}",
           "{\"a\":\"\\ud800\\u0041\"}",
           "{\"a\":\"\\udc00\"}",
           "{\"a\":[1,]}",
           "{\"a\":[1 2]}",
           "{\"a\":[}",
           "{\"a\":{\"b\"}}",
           "{\"a\":[\"\\q\"]}",
           "{\"a\":[\"\x01\"]}",
           "\xef\xbb\xbf{}",
           "{\"a\":\"\xff\"}",
           "{\"a\":\"\xc0\xaf\"}",
           "{\"a\":\"\xed\xa0\x80\"}",
           "// c\n{}",
           "{\"a\":1}\v",
       }) {
    EXPECT_FALSE(Read(text).is_read) << text;
  }
  EXPECT_FALSE(Read(std::string("{\"a\":\"\0\"}", 9)).is_read);
  EXPECT_FALSE(Read(std::string("{}\0", 3)).is_read);
}

TEST(JsonObject, refuses_a_name_that_occurs_twice_however_it_is_written) {
  EXPECT_FALSE(Read(R"({"sub":"a","sub":"b"})").is_read);
  EXPECT_FALSE(Read(R"({"sub":"a","x":1,"\u0073ub":"b"})").is_read);
  EXPECT_FALSE(Read(R"({"":1,"":2})").is_read);
  EXPECT_TRUE(Read(R"({"sub":"a","Sub":"b","sub ":"c"})").is_read);
}

TEST(JsonObject, has_a_limit_of_members) {
  const auto with_members = [](size_t count) {
    std::string text = "{";
    for (size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
    }
    return text + "}";
  };
  EXPECT_TRUE(Read(with_members(limits::json_members_max)).is_read);
  EXPECT_FALSE(Read(with_members(limits::json_members_max + 1)).is_read);
}

TEST(JsonObject, has_a_limit_of_depth) {
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(Read(nested(limits::json_depth_max)).is_read);
  EXPECT_FALSE(Read(nested(limits::json_depth_max + 1)).is_read);
  EXPECT_FALSE(Read(nested(3000)).is_read);
}

TEST(JsonArray, has_items_of_every_kind) {
  const std::string text = R"([ "a", 1, "\u0062", [ ], {"x":1} ])";
  std::string space(text.size(), '\0');
  JsonArray array;
  ASSERT_TRUE(array.read(text, space));
  ASSERT_EQ(array.items().size(), 5U);
  EXPECT_EQ(array.items()[2].text, "b");
  EXPECT_EQ(array.items()[4].text, "{\"x\":1}");
  EXPECT_FALSE(array.read("[1,]", space));
  EXPECT_TRUE(array.items().empty());
  EXPECT_TRUE(array.read("[]", space));
}

}  // namespace
}  // namespace spillway::identity
