// server/switchboard_test.cc: what may be turned, and what becomes of it under a new plan.
#include "server/switchboard.h"

#include <gmock/gmock.h>

namespace spillway::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Instant now = Instant() + 1000s;

plan::Plan with_canary(double percent) {
  plan::Plan plan;
  gateway::RouteConfig route;
  route.split = gateway::SplitConfig{
      .to = {{.service = "web"}, {.service = "canary", .share = Share::percent(percent)}}};
  plan.routes = {route};
  return plan;
}

TEST(Switchboard, turns_maintenance_for_a_time_or_back_to_the_plan) {
  Switchboard board;
  EXPECT_EQ(board.switches(), nullptr);
  board.set_maintenance(true, 10s, now);
  EXPECT_EQ(board.status(now + 4s).maintenance,
            (admin::MaintenanceStatus{.is_on = true, .from = "live", .left = 6s}));
  EXPECT_EQ(board.status(now + 10s).maintenance, admin::MaintenanceStatus{});
  board.set_maintenance(std::nullopt, std::nullopt, now);
  EXPECT_EQ(board.switches(), nullptr);
}

TEST(Switchboard, changes_shares_within_reason) {
  Switchboard board;
  EXPECT_THAT(board.follow(with_canary(5)), IsEmpty());
  ASSERT_TRUE(board.set_split("canary", gateway::SplitChange{.share = Share::percent(20)}));
  const auto splits = board.status(now).splits;
  ASSERT_EQ(splits.size(), 2u);
  EXPECT_DOUBLE_EQ(splits[0].share, 0.8);
  EXPECT_DOUBLE_EQ(splits[1].share, 0.2);
  EXPECT_DOUBLE_EQ(splits[1].planned, 0.05);
  EXPECT_EQ(splits[1].from, "live");
  const auto first = board.set_split("web", gateway::SplitChange{});
  ASSERT_FALSE(first);
  EXPECT_THAT(first.error().detail, HasSubstr("gets what the other"));
  EXPECT_FALSE(board.set_split("nobody", gateway::SplitChange{}));
  ASSERT_TRUE(board.set_split("canary", std::nullopt));
  EXPECT_EQ(board.switches(), nullptr);
}

TEST(Switchboard, a_share_that_does_not_fit_is_refused_and_changes_nothing) {
  plan::Plan plan = with_canary(5);
  plan.routes[0].split->to.push_back({.service = "other", .share = Share::percent(50)});
  Switchboard board;
  board.follow(plan);
  const auto changed = board.set_split("canary", gateway::SplitChange{.share = Share::percent(60)});
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().detail, HasSubstr("would share 110% in all"));
  EXPECT_EQ(board.switches(), nullptr);
}

TEST(Switchboard, a_reload_keeps_what_fits_and_names_what_it_forgets) {
  Switchboard board;
  board.follow(with_canary(5));
  ASSERT_TRUE(board.set_split("canary", gateway::SplitChange{.share = Share::percent(20)}));
  EXPECT_THAT(board.follow(with_canary(50)), IsEmpty());
  EXPECT_DOUBLE_EQ(board.status(now).splits[1].share, 0.2);
  EXPECT_THAT(board.follow(plan::Plan{}), ElementsAre("canary"));
  EXPECT_EQ(board.switches(), nullptr);
}

}  // namespace
}  // namespace spillway::server
