// identity/base64_test.cc: one text for each value.
#include "identity/base64.h"

#include <gtest/gtest.h>

#include <string>

#include "identity/token_testing.h"

namespace spillway::identity {
namespace {

std::optional<std::string> decoded(std::string_view text, auto decode) {
  std::string out(base64_bytes(text.size()), '\0');
  const auto size = decode(text, out);
  if (!size) return std::nullopt;
  return out.substr(0, *size);
}
std::optional<std::string> url(std::string_view text) { return decoded(text, decode_base64url); }
std::optional<std::string> plain(std::string_view text) { return decoded(text, decode_base64); }

TEST(Base64, decodes_what_rfc_4648_shows) {
  EXPECT_EQ(url(""), "");
  EXPECT_EQ(url("Zg"), "f");
  EXPECT_EQ(url("Zm8"), "fo");
  EXPECT_EQ(url("Zm9v"), "foo");
  EXPECT_EQ(url("Zm9vYg"), "foob");
  EXPECT_EQ(url("Zm9vYmE"), "fooba");
  EXPECT_EQ(plain("Zg=="), "f");
  EXPECT_EQ(plain("Zm8="), "fo");
  EXPECT_EQ(plain("Zm9vYmFy"), "foobar");
  EXPECT_EQ(url("-_-_"), plain("+/+/"));
}

TEST(Base64, reads_back_what_was_written_at_every_length) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(url(testing::base64url(bytes)), bytes);
    bytes += static_cast<char>(i * 37 + 200);
  }
}

TEST(Base64, refuses_every_other_text_for_the_same_value) {
  EXPECT_FALSE(url("Zg=="));       // Padded.
  EXPECT_FALSE(url("Zh"));         // A bit beyond the byte is set.
  EXPECT_FALSE(url("Zm9"));        // The same with two bytes.
  EXPECT_FALSE(url("Zm9vY"));      // A character that stands for no whole byte.
  EXPECT_FALSE(url("Zm9v Zm9v"));  // Space.
  EXPECT_FALSE(url("Zm9v\n"));
  EXPECT_FALSE(url("+/+/"));  // The other alphabet.
  EXPECT_FALSE(url(std::string_view("Zm\0v", 4)));
  EXPECT_FALSE(plain("Zg"));  // Not padded.
  EXPECT_FALSE(plain("Zg="));
  EXPECT_FALSE(plain("Zh=="));
  EXPECT_FALSE(plain("===="));
  EXPECT_FALSE(plain("Z==="));
  EXPECT_FALSE(plain("Zg==Zg=="));
  EXPECT_FALSE(plain("-_-_"));
}

}  // namespace
}  // namespace spillway::identity
