// gateway/proxy_test.cc: attempts that fail, wait or are not wanted any more.
#include "gateway/proxy.h"

#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using upstream::EndpointCounters;

const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";

class ProxyTest : public GatewayTest {
 protected:
  ProxyTest() { endpoints = {first.address()}; }
  // An address where nobody listens.
  // A client whose request keeps the one place of `first` busy.
  std::pair<runtime::Peer, runtime::Peer> keep_busy() {
    config.concurrency = 1;
    runtime::Peer client = connect();
    client.send(get);
    runtime::Peer upstream = first.accept();
    upstream.take_head();
    return {std::move(client), std::move(upstream)};
  }
  SocketAddress nowhere() {
    runtime::PeerListener closed(loop);
    return closed.address();
  }
  runtime::PeerListener first{loop};
};

TEST_F(ProxyTest, uses_one_upstream_connection_for_many_requests) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = first.accept();
  for (int i = 0; i < 3; ++i) {
    upstream.take_head();
    upstream.send(ok);
    client.take_through("ok");
    client.send(get);
  }
  EXPECT_TRUE(first.stays_silent());
  EXPECT_EQ(in_flight(), 1u);
}

TEST_F(ProxyTest, holds_no_buffer_between_requests) {
  runtime::Peer client = connect();
  client.send(post);
  runtime::Peer upstream = first.accept();
  upstream.take_through("body");
  upstream.send(ok);
  client.take_through("ok");
  turn();
  EXPECT_EQ(loop.buffers().bytes_lent(), 0u);
  EXPECT_EQ(in_flight(), 0u);
}

TEST_F(ProxyTest, tries_elsewhere_when_an_endpoint_refuses_whatever_the_method) {
  endpoints.push_back(nowhere());
  for (const std::string& request : {get, post, get, post}) {
    runtime::Peer client = connect();
    client.send(request);
    runtime::Peer upstream = first.accept();
    upstream.take_through(request == post ? "body" : "\r\n\r\n");
    upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_GT(count_of(&EndpointCounters::failed_connect), 0u);
}

TEST_F(ProxyTest, sends_a_get_again_when_the_upstream_dies_before_its_answer) {
  runtime::Peer client = connect();
  client.send(get);
  for (const bool is_reset : {false, true}) {
    runtime::Peer upstream = first.accept();
    upstream.take_head();
    is_reset ? upstream.reset() : upstream.close();
  }
  runtime::Peer upstream = first.accept();
  upstream.take_head();
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(service->with([&](auto& state) { return state.cluster.status(loop.now()).counters; })
                .requests,
            1u)
      << "counted once, however often it was tried";
}

TEST_F(ProxyTest, never_sends_a_post_again_that_an_upstream_may_have_seen) {
  runtime::Peer client = connect();
  client.send(post);
  {
    runtime::Peer upstream = first.accept();
    upstream.take_through("body");
  }
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 502 "));
  EXPECT_TRUE(first.stays_silent());
  EXPECT_EQ(count_of(&EndpointCounters::failed_response), 1u);
}

TEST_F(ProxyTest, sends_a_get_again_when_a_kept_connection_was_just_closed) {
  runtime::Peer client = connect();
  client.send(get);
  {
    runtime::Peer upstream = first.accept();
    upstream.take_head();
    upstream.send(ok);
    client.take_through("ok");
    client.send(get);
    upstream.take_head();
  }
  runtime::Peer upstream = first.accept();
  upstream.take_head();
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ProxyTest, sends_the_same_body_again) {
  for (const std::string& request :
       {std::string("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"),
        std::string("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")}) {
    runtime::Peer client = connect();
    client.send(request);
    {
      runtime::Peer upstream = first.accept();
      upstream.take_through("world");
    }
    runtime::Peer upstream = first.accept();
    EXPECT_THAT(upstream.take_head(), HasSubstr("content-length: 11\r\n"));
    EXPECT_EQ(upstream.take_bytes(11), "hello world");
    upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(ProxyTest, goes_on_with_an_upload_that_a_dead_upstream_had_seen_in_part) {
  runtime::Peer client = connect();
  client.send("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  {
    runtime::Peer upstream = first.accept();
    upstream.take_through("hello");
  }
  runtime::Peer upstream = first.accept();
  upstream.take_through("hello");
  client.send("6\r\n world\r\n0\r\n\r\n");
  upstream.take_through(" world\r\n0\r\n\r\n");
  upstream.send(ok);
  EXPECT_THAT(client.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ProxyTest, an_upload_to_a_dead_upstream_is_told_502) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  {
    runtime::Peer upstream = first.accept();
    upstream.take_through("hello");
  }
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 502 "));
}

TEST_F(ProxyTest, gives_up_when_the_budget_is_spent) {
  config.retries.budget = {.share = Share::percent(0), .least = {.count = 1, .per = 10s}};
  runtime::Peer client = connect();
  client.send(get);
  for (int i = 0; i < 2; ++i) first.accept().take_head();
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(first.stays_silent());
}

TEST_F(ProxyTest, gives_up_after_the_attempts_of_the_plan) {
  config.retries.attempts = 2;
  runtime::Peer client = connect();
  client.send(get);
  for (int i = 0; i < 2; ++i) first.accept().take_head();
  const std::string head = client.take_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(head, HasSubstr("retry-after: 1\r\n"));
}

TEST_F(ProxyTest, when_all_endpoints_refuse_it_is_503_whatever_the_method) {
  endpoints = {nowhere(), nowhere()};
  for (const std::string& request : {get, post}) {
    runtime::Peer client = connect();
    client.send(request);
    EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 503 "));
  }
}

TEST_F(ProxyTest, without_endpoints_there_is_503_at_once) {
  endpoints.clear();
  runtime::Peer client = connect();
  const Instant began = loop.now();
  client.send(get);
  const std::string head = client.take_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(head, HasSubstr("retry-after: 1\r\n"));
  EXPECT_LT(loop.now() - began, 1s);
}

TEST_F(ProxyTest, a_silent_upstream_is_504_after_first_byte) {
  config.timeouts.first_byte = 50ms;
  runtime::Peer client = connect();
  client.send(post);
  runtime::Peer upstream = first.accept();
  upstream.take_through("body");
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 504 "));
  EXPECT_TRUE(upstream.sees_end());
  EXPECT_EQ(count_of(&EndpointCounters::timed_out), 1u);
}

TEST_F(ProxyTest, a_route_may_have_its_own_timeouts) {
  route.timeouts.first_byte = 50ms;
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = first.accept();
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 504 "));
}

TEST_F(ProxyTest, total_ends_a_request_however_often_it_is_tried) {
  config.timeouts.total = 80ms;
  runtime::Peer client = connect();
  client.send(get);
  first.accept().take_head();
  runtime::Peer upstream = first.accept();
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 504 "));
}

TEST_F(ProxyTest, an_upstream_that_stops_reading_an_upload_does_not_hold_it_for_ever) {
  config.timeouts.first_byte = 50ms;
  config.timeouts.idle = 50ms;
  limits.body_bytes_max = 1 << 30;
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  runtime::Peer upstream = first.accept();
  upstream.shrink_receive_buffer();
  std::string chunk = "100000\r\n" + std::string(0x100000, 'x') + "\r\n";
  ASSERT_TRUE(runtime::turn_until(loop, [&] {
    ::send(client.fd(), chunk.data(), chunk.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return client.received().starts_with("HTTP/1.1 504 ");
  })) << client.received();
}

TEST_F(ProxyTest, waits_in_line_and_is_served_in_order) {
  config.queue.wait = 10s;
  auto [busy, upstream] = keep_busy();
  std::vector<runtime::Peer> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(connect());
    waiting.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    turn();
  }
  upstream.send(ok);
  busy.take_through("ok");
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(upstream.take_head(), StartsWith("GET /" + std::to_string(i) + " "));
    EXPECT_EQ(in_flight(), 1u);
    upstream.send(ok);
    EXPECT_THAT(waiting[static_cast<size_t>(i)].take_through("ok"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(ProxyTest, who_waits_too_long_is_told_503) {
  config.queue = {.length = 1, .wait = 50ms};
  auto [busy, upstream] = keep_busy();
  runtime::Peer waiting = connect();
  waiting.send(get);
  turn();
  runtime::Peer refused = connect();
  refused.send(get);
  EXPECT_THAT(refused.take_head(), StartsWith("HTTP/1.1 503 ")) << "the queue is full";
  EXPECT_TRUE(waiting.received().empty());
  const std::string head = waiting.take_head();
  EXPECT_THAT(head, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(head, HasSubstr("retry-after"));
  upstream.send(ok);
  EXPECT_THAT(busy.take_through("ok"), StartsWith("HTTP/1.1 200"));
}

TEST_F(ProxyTest, a_client_that_leaves_frees_its_endpoint) {
  for (const bool is_reset : {false, true}) {
    runtime::Peer client = connect();
    client.send(get);
    runtime::Peer upstream = first.accept();
    upstream.take_head();
    EXPECT_EQ(in_flight(), 1u);
    is_reset ? client.reset() : client.close();
    EXPECT_TRUE(upstream.sees_end());
    ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 0; }));
  }
  EXPECT_EQ(count_of(&EndpointCounters::client_aborted), 2u);
  EXPECT_EQ(count_of(&EndpointCounters::failed_response), 0u);
}

TEST_F(ProxyTest, a_client_that_left_while_it_waited_in_line_costs_no_upstream) {
  config.queue.wait = 10s;
  auto [busy, upstream] = keep_busy();
  runtime::Peer waiting = connect();
  waiting.send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  waiting.close();
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return queue_length() == 0; })) << "still waits";
  upstream.send(ok);
  busy.take_through("ok");
  EXPECT_TRUE(upstream.stays_silent());
  EXPECT_EQ(in_flight(), 0u);
}

TEST_F(ProxyTest, a_client_that_said_it_sends_no_more_may_close_its_side) {
  for (const char* request :
       {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    runtime::Peer client = connect();
    client.send(request);
    client.end();
    runtime::Peer upstream = first.accept();
    upstream.take_head();
    turn();
    upstream.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_THAT(client.take_rest(), EndsWith("ok")) << request;
  }
}

TEST_F(ProxyTest, a_client_that_leaves_in_mid_upload_is_no_fault_of_the_upstream) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  runtime::Peer upstream = first.accept();
  upstream.take_through("hello");
  client.close();
  EXPECT_THAT(upstream.take_rest(), Not(HasSubstr("0\r\n\r\n"))) << "looks complete";
  ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 0; }));
  EXPECT_EQ(count_of(&EndpointCounters::client_aborted), 1u);
  EXPECT_EQ(count_of(&EndpointCounters::failed_response), 0u);
}

TEST_F(ProxyTest, a_malformed_upload_is_the_clients_fault_and_never_ends_cleanly) {
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz");
  runtime::Peer upstream = first.accept();
  EXPECT_THAT(upstream.take_rest(), Not(HasSubstr("0\r\n\r\n")));
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(count_of(&EndpointCounters::failed_response), 0u);
}

TEST_F(ProxyTest, a_body_beyond_the_limit_is_413) {
  limits.body_bytes_max = 1000;
  runtime::Peer announced = connect();
  announced.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_THAT(announced.take_head(), StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(first.stays_silent());

  runtime::Peer chunked = connect();
  chunked.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  runtime::Peer upstream = first.accept();
  chunked.send("7d0\r\n" + std::string(2000, 'x') + "\r\n0\r\n\r\n");
  EXPECT_THAT(chunked.take_head(), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(upstream.take_rest(), Not(HasSubstr("\r\n0\r\n")));
}

TEST_F(ProxyTest, a_slow_upload_of_a_small_body_holds_no_upstream) {
  limits.body_timeout = 50ms;
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_THAT(client.take_head(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(first.stays_silent());
}

// Else a few clients could hold all places of a service.
TEST_F(ProxyTest, a_body_that_only_trickles_is_given_up) {
  limits.body_timeout = 200ms;
  limits.body_rate_min = 1000;
  made().set_access_log(&log);
  runtime::Peer client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  runtime::Peer upstream = first.accept();
  for (int i = 0; i < 40 && !client.has_ended(); ++i) {
    client.send("x");
    let_pass(20ms);
  }
  EXPECT_THAT(client.take_rest(), StartsWith("HTTP/1.1 408 "));
  ASSERT_EQ(log.lines.size(), 1u);
  EXPECT_THAT(log.lines.front(), HasSubstr("slower than connections.body_rate"));
  EXPECT_EQ(in_flight(), 0u);
}

TEST_F(ProxyTest, a_cut_ends_what_waits_in_line) {
  config.queue.wait = 60s;
  const auto busy = keep_busy();
  runtime::Peer waiting = connect();
  waiting.send(get);
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return queue_length() == 1; }));
  connections.back()->cut();
  EXPECT_TRUE(waiting.sees_end());
  EXPECT_EQ(queue_length(), 0u);
}

TEST_F(ProxyTest, a_cut_ends_what_waits_for_a_connection) {
  config.timeouts.connect = 60s;
  const runtime::FullListener full;
  endpoints = {full.address()};
  runtime::Peer client = connect();
  client.send(get);
  ASSERT_TRUE(runtime::turn_until(loop, [this] { return in_flight() == 1; }));
  EXPECT_TRUE(first.stays_silent());
  connections.back()->cut();
  EXPECT_TRUE(client.sees_end());
  EXPECT_EQ(in_flight(), 0u);
  EXPECT_EQ(count_of(&EndpointCounters::failed_connect), 0u);
}

TEST_F(ProxyTest, a_cut_ends_what_waits_for_an_upstream) {
  runtime::Peer client = connect();
  client.send(get);
  runtime::Peer upstream = first.accept();
  upstream.take_head();
  connections.back()->cut();
  EXPECT_TRUE(client.sees_end());
  EXPECT_TRUE(upstream.sees_end());
  finish();
}

}  // namespace
}  // namespace spillway::gateway
