// base/ascii_test.cc: digits that are written eight at a time.
#include "base/ascii.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

std::string hex(uint64_t value) {
  char text[16];
  write_hex(value, text);
  return {text, sizeof text};
}

TEST(Ascii, writes_sixteen_hexadecimal_digits) {
  EXPECT_EQ(hex(0), "0000000000000000");
  EXPECT_EQ(hex(0x0123456789abcdef), "0123456789abcdef");
  EXPECT_EQ(hex(0xfedcba9876543210), "fedcba9876543210");
  EXPECT_EQ(hex(UINT64_MAX), "ffffffffffffffff");
}

}  // namespace
}  // namespace spillway
