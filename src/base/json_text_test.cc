// base/json_text_test.cc: hostile text becomes valid JSON.
#include "base/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace spillway {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonText, leaves_printable_text_alone) {
  EXPECT_EQ(escaped("/api/auctions?sort=hot&n=10"), "\"/api/auctions?sort=hot&n=10\"");
  EXPECT_EQ(escaped(""), "\"\"");
  EXPECT_EQ(escaped("h\u00e9llo \u20ac \U0001F600"), "\"h\u00e9llo \u20ac \U0001F600\"");
}

TEST(JsonText, escapes_quotes_and_controls_at_every_position_of_a_word) {
  for (size_t before = 0; before < 20; ++before) {
    const std::string pad(before, 'a');
    EXPECT_EQ(escaped(pad + "\"" + pad), "\"" + pad + "\\\"" + pad + "\"");
    EXPECT_EQ(escaped(pad + "\\" + pad), "\"" + pad + "\\\\" + pad + "\"");
    EXPECT_EQ(escaped(pad + "\n" + pad), "\"" + pad + "\\n" + pad + "\"");
    EXPECT_EQ(escaped(pad + "\x1b" + pad), "\"" + pad + "\\u001b" + pad + "\"");
    EXPECT_EQ(escaped(pad + "\x7f" + pad), "\"" + pad + "\\u007f" + pad + "\"");
    EXPECT_EQ(escaped(pad + std::string(1, '\0')), "\"" + pad + "\\u0000\"");
  }
}

TEST(JsonText, replaces_each_byte_that_is_not_utf8) {
  EXPECT_EQ(escaped("\xff"), "\"\\ufffd\"");
  EXPECT_EQ(escaped("\xc3("), "\"\\ufffd(\"");
  EXPECT_EQ(escaped("\xc0\xaf"), "\"\\ufffd\\ufffd\"");             // Overlong slash.
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");  // A surrogate.
  EXPECT_EQ(escaped("\xf4\x90\x80\x80").size(), 2u + 4 * 6);        // Above U+10FFFF.
  EXPECT_EQ(escaped("\xe2\x82"), "\"\\ufffd\\ufffd\"");             // Cut short.
  EXPECT_EQ(escaped("\xc2\x9b"
                    "31m"),
            "\"\\u009b31m\"");  // A C1 control sequence.
}

TEST(JsonText, never_writes_half_a_character) {
  const std::string text = "abc\n\"\x01\xe2\x82\xac\xffz";
  std::string whole = escaped(text);
  whole = whole.substr(1, whole.size() - 2);
  for (size_t room = 0; room <= whole.size(); ++room) {
    std::string out(room, '#');
    const JsonEscaped done = escape_json(text, out);
    ASSERT_LE(done.written, room);
    EXPECT_EQ(out.substr(0, done.written), whole.substr(0, done.written));
    EXPECT_EQ(escaped(text.substr(0, done.read)), "\"" + out.substr(0, done.written) + "\"");
  }
}

TEST(JsonText, agrees_with_a_byte_by_byte_look_at_every_pair) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string text{static_cast<char>(a), static_cast<char>(b)};
      const std::string out = escaped("aaaaaaa" + text + "bbbbbbb");
      for (char c : out.substr(1, out.size() - 2)) {
        ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
      }
    }
  }
}

}  // namespace
}  // namespace spillway
