// gateway/client_rules_test.cc: address sets against the obvious, countries, and what goes first.
#include "gateway/client_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.h"
#include "runtime/file.h"

namespace spillway::gateway {
namespace {

const Instant now = Instant() + Duration(1h);

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }
AddressSet set_of(std::initializer_list<std::string_view> prefixes) {
  std::vector<AddressSet::Entry> entries;
  for (const std::string_view text : prefixes) entries.push_back({.prefix = prefix(text)});
  return AddressSet(std::move(entries));
}
std::string database_path() {
  return SPILLWAY_SOURCE_DIR "/tests/corpus/geo_database/countries.mmdb";
}

TEST(AddressSet, has_what_its_prefixes_have) {
  const AddressSet set = set_of({"10.0.0.0/8", "10.1.0.0/16", "192.0.2.7", "2001:db8::/32"});
  for (const char* member : {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.0.2.7", "2001:db8::1",
                             "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_TRUE(set.contains(ip(member), now)) << member;
  }
  for (const char* other : {"9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8",
                            "2001:db9::", "2001:db7:ffff::", "::", "255.255.255.255"}) {
    EXPECT_FALSE(set.contains(ip(other), now)) << other;
  }
}

TEST(AddressSet, takes_everything_and_the_last_address_of_all) {
  EXPECT_TRUE(set_of({"::/0"}).contains(ip("1.2.3.4"), now));
  const std::string_view last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  EXPECT_TRUE(set_of({last}).contains(ip(last), now));
  EXPECT_FALSE(set_of({last}).contains(ip("::"), now));
  EXPECT_FALSE(AddressSet().contains(ip("::"), now));
  EXPECT_TRUE(set_of({"0.0.0.0/0"}).contains(ip("255.255.255.255"), now));
  EXPECT_FALSE(set_of({"0.0.0.0/0"}).contains(ip("::1"), now));
}

TEST(AddressSet, forgets_an_entry_when_its_time_is_over) {
  const AddressSet set({{prefix("10.0.0.0/8"), now + 10s}, {prefix("10.1.0.0/16"), now + 20s}});
  EXPECT_TRUE(set.contains(ip("10.0.0.1"), now + 9s));
  EXPECT_FALSE(set.contains(ip("10.0.0.1"), now + 10s));
  EXPECT_TRUE(set.contains(ip("10.1.0.1"), now + 19s));
  EXPECT_FALSE(set.contains(ip("10.1.0.1"), now + 20s));
}

// Few bits, so that prefixes nest, touch and repeat all the time.
TEST(AddressSet, agrees_with_looking_at_each_prefix) {
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<AddressSet::Entry> entries;
    const uint64_t count = random.below(12);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t bits = random.below(9);
      const uint64_t low = random.below(256) & (0xFF00U >> bits) & 0xFF;
      entries.push_back({prefix(to_string(IpAddress::from_v4(static_cast<uint32_t>(low))) + "/" +
                                std::to_string(24 + bits)),
                         now + std::chrono::seconds(random.below(4))});
    }
    const AddressSet set(entries);
    for (uint32_t low = 0; low < 258; ++low) {
      const IpAddress address = IpAddress::from_v4(low);
      for (const auto later : {0s, 1s, 2s, 3s}) {
        const bool expected = std::ranges::any_of(entries, [&](const AddressSet::Entry& entry) {
          return entry.prefix.contains(address) && now + later < entry.until;
        });
        ASSERT_EQ(set.contains(address, now + later), expected) << "round " << round;
      }
    }
  }
}

TEST(GeoDatabase, tells_countries) {
  const auto database = GeoDatabase::open(database_path());
  ASSERT_TRUE(database) << database.error().detail;
  const auto country = [&](const char* address) {
    const auto found = (*database)->country_of(ip(address));
    return found ? to_string(*found) : "none";
  };
  EXPECT_EQ(country("203.0.113.77"), "DE");
  EXPECT_EQ(country("198.51.100.127"), "FR");
  EXPECT_EQ(country("198.51.100.128"), "none");
  EXPECT_EQ(country("2001:db8:1::1"), "JP");
  EXPECT_EQ(country("2001:db9::1"), "none");
}

TEST(GeoDatabase, refuses_what_is_none) {
  const std::string bytes = *runtime::read_file_blocking(database_path(), 1 << 20);
  for (const std::string& damaged :
       {std::string(), std::string("no database"), bytes.substr(0, bytes.size() / 2),
        bytes.substr(bytes.size() / 2)}) {
    const auto database = GeoDatabase::from_bytes(damaged, "geo.mmdb");
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Error::Code::invalid);
    EXPECT_TRUE(database.error().detail.starts_with("geo.mmdb is not a whole MaxMind DB file"));
  }
  EXPECT_EQ(GeoDatabase::open("/nowhere/x.mmdb").error().code, Error::Code::not_found);
}

TEST(ClientRules, allow_goes_before_deny_before_country) {
  const ClientRules rules{.allowed = set_of({"203.0.113.5", "10.0.0.1"}),
                          .denied = set_of({"10.0.0.0/8"}),
                          .countries = {.deny = {*CountryCode::parse("DE")}},
                          .database = *GeoDatabase::open(database_path())};
  EXPECT_EQ(rules.admit(ip("203.0.113.5"), now), Admission::exempt);
  EXPECT_EQ(rules.admit(ip("10.0.0.1"), now), Admission::exempt);
  EXPECT_EQ(rules.admit(ip("10.0.0.2"), now), Admission::denied);
  EXPECT_EQ(rules.admit(ip("203.0.113.6"), now), Admission::wrong_country);
  EXPECT_EQ(rules.admit(ip("198.51.100.1"), now), Admission::served);
  EXPECT_EQ(rules.admit(ip("192.0.2.1"), now), Admission::served);
}

TEST(ClientRules, with_an_allow_list_an_unknown_country_is_not_served) {
  const ClientRules rules{.countries = {.allow = {*CountryCode::parse("FR")}},
                          .database = *GeoDatabase::open(database_path())};
  EXPECT_EQ(rules.admit(ip("198.51.100.1"), now), Admission::served);
  EXPECT_EQ(rules.admit(ip("203.0.113.6"), now), Admission::wrong_country);
  EXPECT_EQ(rules.admit(ip("192.0.2.1"), now), Admission::wrong_country);
}

TEST(CountryCode, is_two_capital_letters) {
  EXPECT_TRUE(CountryCode::parse("DE"));
  for (const char* text : {"", "D", "de", "DEU", "D1"}) {
    EXPECT_FALSE(CountryCode::parse(text)) << text;
  }
}

}  // namespace
}  // namespace spillway::gateway
