// base/siphash_test.cc: the first vectors of the reference implementation.
#include "base/siphash.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(SipHash, gives_the_reference_vectors) {
  const SipHash::Key key = {0x0706050403020100, 0x0F0E0D0C0B0A0908};
  EXPECT_EQ(SipHash::of("", key), (Hash128{0xE6A825BA047F81A3, 0x930255C71472F66D}));
  EXPECT_EQ(SipHash::of(std::string_view("\0", 1), key),
            (Hash128{0x44AF996BD8C187DA, 0x45FC229B11597634}));
}

TEST(SipHash, depends_on_every_byte_the_length_and_the_key) {
  const SipHash::Key key = {1, 2};
  const std::string text = "0123456789abcdef0";
  const Hash128 whole = SipHash::of(text, key);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] ^= 1;
    EXPECT_NE(SipHash::of(other, key), whole) << i;
  }
  EXPECT_NE(SipHash::of(text + std::string(1, '\0'), key), whole);
  EXPECT_NE(SipHash::of(text, {1, 3}), whole);
}

}  // namespace
}  // namespace spillway
