// upstream/config_test.cc: the plan's text forms, and that every field explains itself.
#include "upstream/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

namespace spillway::upstream {
namespace {

TEST(Balance, reads_what_it_writes) {
  for (const char* text : {"round_robin", "least_requests", "random_two", "ring_hash(ip)",
                           "ring_hash(header:x-user)", "ring_hash(cookie:Session)"}) {
    const auto balance = Balance::parse(text);
    ASSERT_TRUE(balance) << text;
    EXPECT_EQ(to_string(*balance), text);
  }
  EXPECT_EQ(Balance::parse("ring_hash(header:X-User)")->hash_name, "x-user");
}

TEST(Balance, refuses_what_it_does_not_know) {
  for (const char* text : {"", "roundrobin", "ring_hash", "ring_hash()", "ring_hash(header:)",
                           "ring_hash(header:a b)", "ring_hash(query:x)", "ring_hash(ip",
                           " round_robin", "ring_hash(cookie:a;b)", "ring_hash(ip:x)"}) {
    const auto balance = Balance::parse(text);
    ASSERT_FALSE(balance) << text;
    EXPECT_EQ(balance.error().code, Error::Code::invalid);
    EXPECT_NE(balance.error().detail.find("ring_hash(header:NAME)"), std::string::npos);
  }
  EXPECT_FALSE(Balance::parse("ring_hash(header:" + std::string(257, 'a') + ")"));
}

TEST(StatusRanges, contain_their_ends_and_nothing_beside) {
  const auto ranges = StatusRanges::parse("200,204, 301-308");
  ASSERT_TRUE(ranges);
  for (const uint16_t good : {200, 204, 301, 305, 308}) EXPECT_TRUE(ranges->contains(good));
  for (const uint16_t bad : {199, 201, 300, 309, 0}) EXPECT_FALSE(ranges->contains(bad));
  EXPECT_EQ(to_string(*ranges), "200,204,301-308");
  EXPECT_EQ(to_string(StatusRanges()), "200-399");
}

TEST(StatusRanges, refuse_nonsense) {
  for (const char* text : {"", "ok", "99", "600", "300-200", "200-", "-300", "200,,201", "2xx",
                           "200-300-400", "70000"}) {
    EXPECT_FALSE(StatusRanges::parse(text)) << text;
  }
  std::string many = "200";
  for (int i = 0; i < 16; ++i) many += ",200";
  EXPECT_FALSE(StatusRanges::parse(many));
}

// What plan/ does with a config: reach each field of a value through its description.
template <class Struct>
struct Reader {
  Struct& value;
  std::vector<std::string>& names;

  template <class Owner, class Field>
  void field(std::string_view name, Field Owner::* member, const FieldNote& note) {
    names.emplace_back(name);
    EXPECT_FALSE(note.doc.empty()) << name;
    EXPECT_TRUE(note.doc.ends_with('.')) << name;
    if (note.minimum && note.maximum) {
      EXPECT_LT(*note.minimum, *note.maximum) << name;
    }
    descend(value.*member);
  }

  template <class Field>
  void descend(Field& inner) {
    if constexpr (requires { inner.has_value(); }) {
      inner.emplace();
      descend(*inner);
    } else if constexpr (requires(Reader<Field> visit) { Field::describe(visit); }) {
      Reader<Field> visit{inner, names};
      Field::describe(visit);
    }
  }
};

// A service's own struct adds fields to a cluster's.
struct ServiceConfig : ClusterConfig {};

TEST(ClusterConfig, explains_every_field_also_of_a_derived_struct) {
  ServiceConfig service;
  std::vector<std::string> names;
  Reader<ServiceConfig> visit{service, names};
  ClusterConfig::describe(visit);
  for (const char* name : {"balance", "ttl", "keepalive", "least", "panic", "slow_start"}) {
    EXPECT_NE(std::ranges::find(names, name), names.end()) << name;
  }
  EXPECT_TRUE(service.health && service.breaker && service.sticky);
}

}  // namespace
}  // namespace spillway::upstream
