// identity/api_key_test.cc: keys by their digests.
#include "identity/api_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace spillway::identity {
namespace {

KeyDigest digest_of(std::string_view key) { return {Sha256()(key)}; }

TEST(ApiKeys, are_found_by_what_the_caller_presents) {
  std::map<std::string, KeyDigest> keys;
  for (int i = 0; i < 100; ++i) {
    keys["caller " + std::to_string(i)] = digest_of("key " + std::to_string(i));
  }
  const auto held = ApiKeys::make(keys, *ProcessSecret::make());
  ASSERT_TRUE(held.has_value());
  Sha256 sha256;
  for (int i = 0; i < 100; ++i) {
    const std::string* name = held->find("key " + std::to_string(i), sha256);
    ASSERT_NE(name, nullptr);
    EXPECT_EQ(*name, "caller " + std::to_string(i));
  }
  EXPECT_EQ(held->find("key 100", sha256), nullptr);
  EXPECT_EQ(held->find("", sha256), nullptr);
  EXPECT_EQ(held->find(std::string(limits::api_key_bytes_max + 1, 'k'), sha256), nullptr);
}

TEST(ApiKeys, hold_nothing_when_there_are_none) {
  const auto held = ApiKeys::make({}, ProcessSecret{});
  Sha256 sha256;
  EXPECT_EQ(held->find("key", sha256), nullptr);
}

TEST(ApiKeys, are_refused_if_two_callers_share_one) {
  const auto held =
      ApiKeys::make({{"anna", digest_of("k")}, {"ben", digest_of("k")}}, ProcessSecret{});
  ASSERT_FALSE(held.has_value());
  EXPECT_EQ(held.error().detail, "\"anna\" and \"ben\" have the same key");
}

TEST(KeyDigest, is_read_as_sha256sum_prints_it) {
  const std::string text = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683";
  ASSERT_TRUE(KeyDigest::parse(text).has_value());
  EXPECT_EQ(*KeyDigest::parse(text), digest_of("key"));
  EXPECT_EQ(*KeyDigest::parse("sha256:" + text), digest_of("key"));
  EXPECT_EQ(to_string(*KeyDigest::parse(text)), text);
  EXPECT_FALSE(KeyDigest::parse(text.substr(1)));
  EXPECT_FALSE(KeyDigest::parse("g" + text.substr(1)));
  EXPECT_FALSE(KeyDigest::parse(""));
}

TEST(Sha256, hashes_as_fips_180_shows) {
  Sha256 sha256;
  EXPECT_EQ(to_string(KeyDigest{sha256("abc")}),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256.hash({"a", "", "bc"}), sha256("abc"));
  EXPECT_NE(sha256.keyed(ProcessSecret{}, {"abc"}), sha256("abc"));
  EXPECT_NE(ProcessSecret::make()->bytes, ProcessSecret::make()->bytes);
}

}  // namespace
}  // namespace spillway::identity
