// server/client_lists_test.cc: edits of the lists beside what the plan says.
#include "server/client_lists.h"

#include <gmock/gmock.h>

namespace spillway::server {
namespace {

using admin::ClientList;
using gateway::Admission;
using ::testing::HasSubstr;

const Instant now = Instant() + Duration(1h);

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }
IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

plan::Plan a_plan() {
  plan::Plan plan;
  plan.clients.deny = {prefix("10.0.0.0/8")};
  return plan;
}

TEST(ClientLists, serve_by_the_plan_and_by_edits) {
  ClientLists lists;
  ASSERT_TRUE(lists.load(a_plan()));
  ASSERT_TRUE(lists.add({.list = ClientList::deny, .prefix = prefix("192.0.2.0/24")}, now));
  ASSERT_TRUE(lists.add({.list = ClientList::allow, .prefix = prefix("10.0.0.7")}, now));
  const auto rules = lists.rules(now);
  EXPECT_EQ(rules->admit(ip("10.0.0.1"), now), Admission::denied);
  EXPECT_EQ(rules->admit(ip("10.0.0.7"), now), Admission::exempt);
  EXPECT_EQ(rules->admit(ip("192.0.2.1"), now), Admission::denied);
  EXPECT_EQ(rules->admit(ip("198.51.100.1"), now), Admission::served);
}

TEST(ClientLists, keep_edits_over_a_reload_and_forget_them_in_time) {
  ClientLists lists;
  ASSERT_TRUE(lists.load(a_plan()));
  ASSERT_TRUE(
      lists.add({.list = ClientList::deny, .prefix = prefix("192.0.2.1"), .within = 10s}, now));
  ASSERT_TRUE(lists.load(plan::Plan()));
  const auto rules = lists.rules(now);
  EXPECT_EQ(rules->admit(ip("10.0.0.1"), now), Admission::served);
  EXPECT_EQ(rules->admit(ip("192.0.2.1"), now + 9s), Admission::denied);
  EXPECT_EQ(rules->admit(ip("192.0.2.1"), now + 10s), Admission::served);
  const std::vector<admin::ClientEntry> expected = {
      {.prefix = "192.0.2.1/32", .list = "deny", .from = "live", .left = 6s}};
  EXPECT_EQ(lists.entries(now + 4s), expected);
  EXPECT_TRUE(lists.entries(now + 10s).empty());
}

TEST(ClientLists, a_later_edit_of_a_prefix_replaces_the_one_before) {
  ClientLists lists;
  ASSERT_TRUE(lists.add({.list = ClientList::allow, .prefix = prefix("192.0.2.1")}, now));
  ASSERT_TRUE(lists.add({.list = ClientList::deny, .prefix = prefix("192.0.2.1")}, now));
  EXPECT_EQ(lists.rules(now)->admit(ip("192.0.2.1"), now), Admission::denied);
  ASSERT_TRUE(lists.remove(prefix("192.0.2.1"), now));
  EXPECT_EQ(lists.rules(now)->admit(ip("192.0.2.1"), now), Admission::served);
}

TEST(ClientLists, say_why_nothing_was_removed) {
  ClientLists lists;
  ASSERT_TRUE(lists.load(a_plan()));
  const auto planned = lists.remove(prefix("10.0.0.0/8"), now);
  EXPECT_EQ(planned.error().code, Error::Code::not_found);
  EXPECT_THAT(planned.error().detail, HasSubstr("is in the plan file"));
  EXPECT_THAT(lists.remove(prefix("192.0.2.1"), now).error().detail,
              HasSubstr("neither allowed nor denied"));
}

TEST(ClientLists, refuse_a_damaged_file_and_keep_what_they_had) {
  ClientLists lists;
  ASSERT_TRUE(lists.load(a_plan()));
  plan::Plan next;
  next.folder = SPILLWAY_SOURCE_DIR "/tests/corpus/geo_database";
  next.clients.countries = {.file = "cut.mmdb", .deny = {*gateway::CountryCode::parse("DE")}};
  EXPECT_EQ(lists.load(next).error().code, Error::Code::invalid);
  EXPECT_EQ(lists.rules(now)->admit(ip("10.0.0.1"), now), Admission::denied);
  next.clients.countries.file = "countries.mmdb";
  ASSERT_TRUE(lists.load(next));
  EXPECT_EQ(lists.rules(now)->admit(ip("203.0.113.9"), now), Admission::wrong_country);
}

}  // namespace
}  // namespace spillway::server
