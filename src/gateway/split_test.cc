// gateway/split_test.cc: who goes to which release, and how everybody comes back.
#include "gateway/split.h"

#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"
#include "telemetry/prometheus_text.h"

namespace spillway::gateway {
namespace {

using ::testing::EndsWith;

SplitConfig canary(Share share) {
  return {.to = {{.service = "app"},
                 {.service = "canary",
                  .share = share,
                  .headers = {{"x-canary", "1"}},
                  .cookies = {{"release", "*"}}}}};
}

TEST(Split, shares_lie_side_by_side_and_the_first_has_the_rest) {
  SplitConfig split{.to = {{.service = "a"},
                           {.service = "b", .share = Share::percent(10)},
                           {.service = "c", .share = Share::percent(20)}}};
  for (const auto& [point, side] :
       {std::pair(0.0, 1), {0.099, 1}, {0.1, 2}, {0.299, 2}, {0.31, 0}, {0.999, 0}}) {
    EXPECT_EQ(side_by_share(split, {}, point), static_cast<size_t>(side)) << point;
  }
  const SplitChanges changes = {{"b", {.is_off = true}}, {"c", {.share = Share::percent(100)}}};
  EXPECT_EQ(side_by_share(split, changes, 0.0), 2u);
  EXPECT_EQ(side_by_share(split, changes, 0.9999), 2u);
  EXPECT_DOUBLE_EQ(shares_of(split, changes), 1.0);
  EXPECT_NEAR(shares_of(split, {}), 0.3, 1e-12);
}

TEST(Split, whoever_has_the_new_release_keeps_it_while_its_share_grows) {
  for (double point = 0; point < 1; point += 0.01) {
    bool was_new = false;
    for (const double share : {1.0, 5.0, 20.0, 50.0, 100.0}) {
      const bool is_new = side_by_share(canary(Share::percent(share)), {}, point) == 1;
      EXPECT_TRUE(is_new || !was_new) << point << " at " << share;
      was_new = is_new;
    }
  }
}

TEST(Split, headers_and_cookies_ask_for_a_side_unless_it_is_off) {
  http::HeaderList fields;
  EXPECT_EQ(side_by_fields(canary({}), {}, fields), 0u);
  ASSERT_TRUE(fields.add("X-Canary", "0"));
  EXPECT_EQ(side_by_fields(canary({}), {}, fields), 0u);
  ASSERT_TRUE(fields.add("Cookie", "a=b; release=next"));
  EXPECT_EQ(side_by_fields(canary({}), {}, fields), 1u);
  EXPECT_EQ(side_by_fields(canary({}), {{"canary", {.share = {}}}}, fields), 1u);
  EXPECT_EQ(side_by_fields(canary({}), {{"canary", {.is_off = true}}}, fields), 0u);
}

class SplitTest : public GatewayTest {
 protected:
  SplitTest() {
    endpoints = {origin.address()};
    services["canary"] = std::make_shared<Service>("canary", config);
    const upstream::EndpointSpec spec{
        .name = "canary.1", .address = next.address(), .is_proven = true};
    services["canary"]->with(
        [&](ServiceState& state) { state.cluster.set_endpoints({{spec}}, loop.now()); });
  }
  // Which of both was asked.
  std::string ask(const std::string& fields = "") {
    runtime::Peer peer = connect();
    peer.send("GET /x HTTP/1.1\r\nHost: a\r\n" + fields + "Connection: close\r\n\r\n");
    std::optional<runtime::Peer> asked;
    bool is_canary = false;
    runtime::turn_until(loop, [&] {
      asked = origin.try_accept();
      if (!asked && (asked = next.try_accept())) is_canary = true;
      return asked.has_value();
    });
    asked->take_head();
    asked->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    EXPECT_THAT(peer.take_rest(), EndsWith("ok"));
    return is_canary ? "canary" : "app";
  }
  // How many of 400 clients the canary gets.
  int canaries() {
    int count = 0;
    for (int i = 0; i < 400; ++i) {
      client.peer.ip = IpAddress::from_v4(0x0A000000U + static_cast<uint32_t>(i) * 7919);
      count += ask() == "canary" ? 1 : 0;
    }
    return count;
  }

  runtime::PeerListener origin{loop};
  runtime::PeerListener next{loop};
};

TEST_F(SplitTest, a_share_of_the_clients_goes_to_the_canary_and_the_metrics_tell_them_apart) {
  route.split = canary(Share::percent(25));
  const int count = canaries();
  EXPECT_GT(count, 60);
  EXPECT_LT(count, 140);
  const std::string first = ask();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(), first);  // One client stays on its side.
  EXPECT_THAT(telemetry::prometheus_text(registry.snapshot()),
              ::testing::HasSubstr("spillway_http_requests_total{route=\"/*\",service=\"canary\","
                                   "status_class=\"2xx\"} "));
}

TEST_F(SplitTest, changes_while_running_move_everybody_at_once) {
  route.split = canary(Share::percent(25));
  made();
  const auto turn = [&](SplitChange change) {
    gateway->use(std::make_shared<const Switches>(Switches{.splits = {{"canary", change}}}));
  };
  turn({.share = Share::percent(100)});
  EXPECT_EQ(ask(), "canary");
  turn({.is_off = true});
  EXPECT_EQ(ask("X-Canary: 1\r\n"), "app");
  turn({.share = Share::percent(0)});
  EXPECT_EQ(ask("X-Canary: 1\r\n"), "canary");
  EXPECT_EQ(ask(), "app");
}

TEST_F(SplitTest, clients_stay_together_by_a_cookie_wherever_they_come_from) {
  route.split = canary(Share::percent(50));
  route.split->by = *LimitKey::parse("cookie:session");
  for (int session = 0; session < 8; ++session) {
    const std::string cookie = "Cookie: session=s" + std::to_string(session) + "\r\n";
    client.peer.ip = IpAddress::from_v4(0x0A000001);
    const std::string side = ask(cookie);
    client.peer.ip = IpAddress::from_v4(0x0A0000FF);
    EXPECT_EQ(ask(cookie), side);
  }
}

}  // namespace
}  // namespace spillway::gateway
