// gateway/hedge_test.cc: a slow first attempt and a second one beside it.
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using upstream::EndpointCounters;

// Two endpoints in turn: whatever comes first goes to `first`.
class HedgeTest : public GatewayTest {
 protected:
  HedgeTest() {
    endpoints = {first.address(), second.address()};
    config.balance = *upstream::Balance::parse("round_robin");
    config.hedge = upstream::HedgeConfig{.after = 20ms};
    config.hedge->budget.least = {.count = 100, .per = 1s};
  }
  struct Hedged {
    runtime::Peer client;
    runtime::Peer slow;
    runtime::Peer beside;
  };
  // A GET that the first endpoint has and does not answer, and the second has by now as well.
  Hedged hedged() {
    runtime::Peer client = connect();
    client.send(get);
    runtime::Peer slow = first.accept();
    const std::string head = slow.take_head();
    runtime::Peer beside = second.accept();
    EXPECT_EQ(beside.take_head().substr(0, 16), head.substr(0, 16));
    return {std::move(client), std::move(slow), std::move(beside)};
  }
  runtime::Peer accept_any() {
    std::optional<runtime::Peer> peer;
    EXPECT_TRUE(runtime::turn_until(loop, [&] {
      for (runtime::PeerListener* at : {&first, &second}) {
        if (!peer) peer = at->try_accept();
      }
      return peer.has_value();
    }));
    return std::move(*peer);
  }
  upstream::ClusterCounters counters() {
    return service->with([&](ServiceState& state) { return state.cluster.status(loop.now()); })
        .counters;
  }
  void expect_all_settled() {
    EXPECT_TRUE(runtime::turn_until(loop, [this] { return in_flight() == 0; }));
    EXPECT_EQ(count_of(&EndpointCounters::failed_response), 0u);
    EXPECT_EQ(count_of(&EndpointCounters::timed_out), 0u);
  }

  runtime::PeerListener first{loop};
  runtime::PeerListener second{loop};
};

TEST_F(HedgeTest, the_second_answers_for_a_first_that_is_slow) {
  auto [client, slow, quick] = hedged();
  quick.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(slow.sees_end());
  expect_all_settled();
  EXPECT_EQ(counters().hedges, 1u);
  EXPECT_EQ(counters().retries, 0u);
  EXPECT_EQ(count_of(&EndpointCounters::client_aborted), 0u);
}

TEST_F(HedgeTest, the_first_answers_after_all) {
  auto [client, slow, beside] = hedged();
  slow.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
  client.take_through("o");
  EXPECT_TRUE(beside.sees_end()) << "it may end when the first has begun to answer";
  slow.send("k");
  EXPECT_THAT(client.take_through("k"), EndsWith("ok"));
  expect_all_settled();
}

TEST_F(HedgeTest, an_interim_answer_is_one) {
  auto [client, slow, beside] = hedged();
  slow.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 103 "));
  EXPECT_TRUE(beside.sees_end());
  slow.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HedgeTest, nothing_is_sent_beside_an_answer_that_has_begun) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = first.accept();
  upstream.take_head();
  upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
  client.take_through("o");
  let_pass(40ms);
  EXPECT_TRUE(second.stays_silent());
  upstream.send("k");
  client.take_through("k");
  expect_all_settled();
}

TEST_F(HedgeTest, what_may_not_run_twice_is_sent_once) {
  for (const std::string& request :
       {std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        std::string("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
                    "Upgrade: websocket\r\n\r\n")}) {
    runtime::Peer client = connect();
    client.send(request);
    runtime::Peer upstream = accept_any();
    upstream.take_head();
    let_pass(40ms);
    EXPECT_EQ(counters().hedges, 0u) << request;
    upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    client.take_through("ok");
    expect_all_settled();
  }
}

TEST_F(HedgeTest, a_client_that_is_kept_at_one_endpoint_stays_there) {
  config.sticky = upstream::StickyConfig{.cookie = "at"};
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = first.accept();
  upstream.take_head();
  upstream.send(ok);
  const std::string head = client.take_through("\r\n\r\nok");
  const size_t at = head.find("at=");
  ASSERT_NE(at, std::string::npos) << head;
  client.send("GET / HTTP/1.1\r\nHost: a\r\nCookie: " + head.substr(at, head.find(';', at) - at) +
              "\r\n\r\n");
  upstream.take_head();
  let_pass(40ms);
  EXPECT_TRUE(second.stays_silent());
  upstream.send(ok);
  client.take_through("ok");
}

TEST_F(HedgeTest, is_held_by_its_budget) {
  config.hedge->budget = {.share = Share::percent(0), .least = {.count = 1, .per = 10s}};
  config.balance = *upstream::Balance::parse("least_requests");
  auto [one, slow, beside] = hedged();
  runtime::Peer two = connect();
  two.send(get);
  let_pass(60ms);
  EXPECT_EQ(counters().hedges, 1u);
  EXPECT_EQ(counters().hedges_refused, 1u);
}

TEST_F(HedgeTest, a_second_that_fails_leaves_the_first_alone) {
  auto [client, slow, beside] = hedged();
  beside.close();
  turn();
  slow.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(runtime::turn_until(loop, [this] { return in_flight() == 0; }));
}

TEST_F(HedgeTest, a_first_that_fails_leaves_it_to_the_second) {
  auto [client, slow, beside] = hedged();
  slow.close();
  turn();
  beside.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  EXPECT_TRUE(runtime::turn_until(loop, [this] { return in_flight() == 0; }));
}

TEST_F(HedgeTest, when_both_fail_the_request_is_tried_again) {
  auto [client, slow, beside] = hedged();
  slow.close();
  beside.close();
  runtime::Peer third = accept_any();
  third.take_head();
  third.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(counters().retries, 1u);
}

TEST_F(HedgeTest, a_client_that_leaves_ends_both) {
  auto [client, slow, beside] = hedged();
  client.close();
  EXPECT_TRUE(slow.sees_end());
  EXPECT_TRUE(beside.sees_end());
  expect_all_settled();
  EXPECT_EQ(count_of(&EndpointCounters::client_aborted), 2u);
}

TEST_F(HedgeTest, a_client_that_leaves_without_a_hedge_is_logged_as_gone) {
  config.hedge->budget = {.share = Share::percent(0), .least = {.count = 0}};
  made().set_access_log(&log);
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer slow = first.accept();
  slow.take_head();
  let_pass(40ms);
  client.close();
  EXPECT_TRUE(slow.sees_end());
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return !log.lines.empty(); }));
  EXPECT_THAT(log.lines[0], HasSubstr("\"error\":\"the client left\""));
}

TEST_F(HedgeTest, both_are_late) {
  config.timeouts.first_byte = 40ms;
  auto [client, slow, beside] = hedged();
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 504 "));
  EXPECT_TRUE(slow.sees_end());
  EXPECT_TRUE(beside.sees_end());
  EXPECT_EQ(count_of(&EndpointCounters::timed_out), 2u);
}

}  // namespace
}  // namespace spillway::gateway
