// http/field_test.cc: names are recognised, lists of fields and of tokens behave.
#include "http/field.h"

#include <gtest/gtest.h>

#include <string>

#include "http/list.h"

namespace spillway::http {
namespace {

TEST(Field, every_known_name_is_recognised_in_any_case) {
  for (size_t i = 1; i < field_count; ++i) {
    const auto id = static_cast<Field>(i);
    std::string name(to_string(id));
    EXPECT_EQ(field_from(name), id) << name;
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_EQ(field_from(name), id) << name;
    name.back() = name.back() == 'Z' ? 'Y' : 'Z';
    EXPECT_NE(field_from(name), id) << name;
    EXPECT_EQ(field_from(name + "x"), Field::other) << name;
  }
}

TEST(Field, unknown_names_are_other) {
  for (const char* name : {"", "x", "te2", "hos", "hosts", "x-host", "Transfer_Encoding", "h\x0fst",
                           "content-lengtH2", "\x14\x45"}) {
    EXPECT_EQ(field_from(name), Field::other) << name;
  }
}

TEST(HeaderList, finds_counts_and_removes) {
  HeaderList list;
  ASSERT_TRUE(list.add("Host", "a"));
  ASSERT_TRUE(list.add("X-One", "1"));
  ASSERT_TRUE(list.add("Set-Cookie", "b"));
  ASSERT_TRUE(list.add("set-cookie", "c"));
  EXPECT_EQ(list.size(), 4U);
  EXPECT_EQ(list.find("HOST")->value, "a");
  EXPECT_EQ(list.find("x-one")->value, "1");
  EXPECT_EQ(list.find("x-two"), nullptr);
  EXPECT_EQ(list.value(Field::set_cookie), "b");
  EXPECT_EQ(list.count(Field::set_cookie), 2U);
  EXPECT_EQ(list.remove("SET-COOKIE"), 2U);
  EXPECT_FALSE(list.has(Field::set_cookie));
  EXPECT_EQ(list.remove(Field::date), 0U);
  EXPECT_EQ(list.remove("X-ONE"), 1U);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].name, "Host");
  list.clear();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.find(Field::host), nullptr);
}

TEST(HeaderList, refuses_one_field_too_many) {
  HeaderList list;
  for (size_t i = 0; i < HeaderList::fields_max; ++i) ASSERT_TRUE(list.add("a", "b"));
  EXPECT_FALSE(list.add("a", "b"));
  EXPECT_EQ(list.size(), HeaderList::fields_max);
}

TEST(ListReader, reads_elements_and_skips_empty_ones) {
  ListReader reader(" a ,, b\t,c d,");
  std::string_view element;
  for (const char* expected : {"a", "b", "c d"}) {
    ASSERT_TRUE(reader.next(element));
    EXPECT_EQ(element, expected);
  }
  EXPECT_FALSE(reader.next(element));
}

TEST(ListReader, finds_tokens_over_all_lines) {
  EXPECT_TRUE(list_has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_FALSE(list_has_token("upgraded", "upgrade"));
  EXPECT_TRUE(list_has_token("\"open, close", "close"));  // A quote hides nothing.
  HeaderList list;
  ASSERT_TRUE(list.add("Connection", "a"));
  ASSERT_TRUE(list.add("Connection", "b, close"));
  EXPECT_TRUE(field_has_token(list, Field::connection, "close"));
  EXPECT_FALSE(field_has_token(list, Field::connection, "c"));
}

}  // namespace
}  // namespace spillway::http
