// gateway/gateway_test.cc: what a request and its answer look like on their other side.
#include "gateway/gateway.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"
#include "telemetry/prometheus_text.h"

namespace spillway::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class GatewayFieldsTest : public GatewayTest {
 protected:
  GatewayFieldsTest() { endpoints = {upstream_listener.address()}; }
  // The head that the upstream sees for this request, which is answered.
  std::string forwarded(std::string_view request) {
    runtime::Peer from = connect();
    from.send(request);
    runtime::Peer upstream = upstream_listener.accept();
    const std::string head = upstream.take_head();
    upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    answer = from.take_head();
    return head;
  }
  // The head that the client sees for this answer.
  std::string answered(std::string_view bytes, std::string_view request = get) {
    return answered_at(upstream_listener, bytes, request);
  }
  std::string answered_at(runtime::PeerListener& listener, std::string_view bytes,
                          std::string_view request) {
    runtime::Peer from = connect();
    from.send(request);
    runtime::Peer upstream = listener.accept();
    upstream.take_head();
    upstream.send(bytes);
    return from.take_head();
  }
  std::string refused(std::string_view request) {
    runtime::Peer from = connect();
    from.send(request);
    return from.take_head();
  }

  runtime::PeerListener upstream_listener{loop};
  std::string answer;
};

TEST_F(GatewayFieldsTest, adds_who_the_client_is_and_where_the_request_has_been) {
  const std::string head =
      forwarded("GET /a?b=c HTTP/1.1\r\nHost: shop.example\r\nX-Own: 1\r\n\r\n");
  EXPECT_THAT(head, StartsWith("GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\n"));
  EXPECT_THAT(head, HasSubstr("X-Own: 1\r\n"));
  EXPECT_THAT(head, HasSubstr("via: 1.1 spillway-test\r\n"));
  EXPECT_THAT(head, HasSubstr("x-forwarded-for: 192.0.2.7\r\n"));
  EXPECT_THAT(head, HasSubstr("x-forwarded-proto: http\r\n"));
  EXPECT_THAT(head, HasSubstr("x-forwarded-host: shop.example\r\n"));
  EXPECT_THAT(head, HasSubstr("x-real-ip: 192.0.2.7\r\n"));
  EXPECT_THAT(head, MatchesRegex("(.|\r|\n)*x-request-id: [0-9a-f]*\r\n(.|\r|\n)*"));
  EXPECT_THAT(head,
              MatchesRegex("(.|\r|\n)*traceparent: 00-[0-9a-f]*-[0-9a-f]*-0[01]\r\n(.|\r|\n)*"));
  EXPECT_THAT(answer, HasSubstr("via: 1.1 spillway-test\r\n"));
}

TEST_F(GatewayFieldsTest, believes_nobody_about_the_client_but_trusted_proxies) {
  const std::string request =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\nX-Real-IP: 203.0.113.9\r\n"
      "X-Forwarded-Proto: https\r\nForwarded: for=203.0.113.9\r\nX-Request-Id: mine\r\n\r\n";
  const std::string head = forwarded(request);
  EXPECT_THAT(head, Not(HasSubstr("203.0.113.9")));
  EXPECT_THAT(head, Not(HasSubstr("https")));
  EXPECT_THAT(head, Not(HasSubstr("x-request-id: mine")));

  gateway.reset();
  clients.trusted_proxies = {*IpPrefix::parse("192.0.2.0/24")};
  const std::string trusted = forwarded(request);
  EXPECT_THAT(trusted, HasSubstr("x-forwarded-for: 203.0.113.9, 192.0.2.7\r\n"));
  EXPECT_THAT(trusted, HasSubstr("x-real-ip: 203.0.113.9\r\n"));
  EXPECT_THAT(trusted, HasSubstr("x-forwarded-proto: https\r\n"));
  EXPECT_THAT(trusted, HasSubstr("X-Request-Id: mine\r\n"));
}

TEST_F(GatewayFieldsTest, continues_a_trace) {
  const std::string head = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\ntracestate: x=1\r\n"
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("traceparent: 00-0af7651916cd43dd8448eb211c80319c-"));
  EXPECT_THAT(head, Not(HasSubstr("b7ad6b7169203331")));
  EXPECT_THAT(head, HasSubstr("tracestate: x=1"));
}

TEST_F(GatewayFieldsTest, forwards_nothing_that_was_meant_for_one_connection) {
  const std::string head = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n"
      "Keep-Alive: timeout=9\r\nProxy-Connection: close\r\nTE: trailers, gzip\r\nX-End: 1\r\n\r\n");
  EXPECT_THAT(head, Not(HasSubstr("X-Hop")));
  EXPECT_THAT(head, Not(HasSubstr("eep-Alive")));
  EXPECT_THAT(head, Not(HasSubstr("Proxy-Connection")));
  EXPECT_THAT(head, HasSubstr("te: trailers\r\n"));
  EXPECT_THAT(head, HasSubstr("connection: te\r\n"));
  EXPECT_THAT(head, HasSubstr("X-End: 1\r\n"));

  const std::string back = answered(
      "HTTP/1.1 200 OK\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"
      "Proxy-Connection: close\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(back, Not(HasSubstr("X-Hop")));
  EXPECT_THAT(back, Not(HasSubstr("onnection")));
  EXPECT_THAT(back, Not(HasSubstr("Keep-Alive")));
  EXPECT_THAT(back, HasSubstr("X-End: 1\r\n"));
}

TEST_F(GatewayFieldsTest, does_not_let_connection_strip_what_others_trust) {
  const std::string head = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Forwarded-For, Authorization, Host\r\n"
      "Authorization: secret\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("x-forwarded-for: 192.0.2.7\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization: secret\r\n"));
  EXPECT_THAT(head, HasSubstr("host: a\r\n"));
}

TEST_F(GatewayFieldsTest, forwards_the_path_in_the_form_that_was_matched) {
  EXPECT_THAT(forwarded("GET /a/./b//%7ec/../%2f%41?x=%41 HTTP/1.1\r\nHost: a\r\n\r\n"),
              StartsWith("GET /a/b/%2FA?x=%41 HTTP/1.1\r\n"));
  const std::string bars(1400, '|');  // Each becomes three characters.
  EXPECT_THAT(forwarded("GET /" + bars + " HTTP/1.1\r\nHost: a\r\n\r\n"),
              StartsWith("GET /%7C%7C"));
  EXPECT_THAT(refused("GET /a/../../b HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(refused("GET /a/..%2fb HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(refused("GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST_F(GatewayFieldsTest, sends_an_absolute_target_as_path_and_host) {
  EXPECT_THAT(
      forwarded("GET http://shop.example:8080/x HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n"),
      StartsWith("GET /x HTTP/1.1\r\nhost: shop.example:8080\r\n"));
}

TEST_F(GatewayFieldsTest, names_a_host_for_an_old_client_that_named_none) {
  EXPECT_THAT(forwarded("GET / HTTP/1.0\r\n\r\n"),
              HasSubstr("host: " + to_string(upstream_listener.address()) + "\r\n"));
  EXPECT_THAT(answer, HasSubstr("connection: close\r\n"));
}

TEST_F(GatewayFieldsTest, refuses_connect_and_trace_and_closes) {
  for (const char* line : {"CONNECT a:443", "TRACE /"}) {
    runtime::Peer from = connect();
    from.send(std::string(line) + " HTTP/1.1\r\nHost: a:443\r\n\r\n" + get);
    const std::string rest = from.take_rest();
    EXPECT_THAT(rest, StartsWith("HTTP/1.1 405 ")) << line;
    EXPECT_THAT(rest, HasSubstr("connection: close")) << line;
    EXPECT_EQ(rest.find("HTTP/1.1", 1), std::string::npos) << line;
  }
  EXPECT_TRUE(upstream_listener.stays_silent());
}

TEST_F(GatewayFieldsTest, stops_a_request_that_goes_in_circles) {
  EXPECT_THAT(refused("GET / HTTP/1.1\r\nHost: a\r\n"
                      "Via: 1.1 spillway-test, 1.1 spillway-test\r\n\r\n"),
              StartsWith("HTTP/1.1 508 "));
}

TEST_F(GatewayFieldsTest, knows_what_is_not_there_and_what_is_not_allowed) {
  route.path = *PathPattern::parse("/only/*");
  route.methods = {*Method::parse("GET"), *Method::parse("PUT")};
  EXPECT_THAT(refused(get), StartsWith("HTTP/1.1 404 "));
  const std::string head = refused("POST /only/x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(head, HasSubstr("allow: GET, HEAD, PUT\r\n"));
}

TEST_F(GatewayFieldsTest, keeps_the_length_of_an_answer_to_head) {
  const std::string head = answered("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
                                    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(head, testing::ContainsRegex("[Cc]ontent-[Ll]ength: 500\r\n"));
}

TEST_F(GatewayFieldsTest, passes_304_and_204_without_a_body) {
  EXPECT_THAT(answered("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\n"),
              testing::ContainsRegex("[Cc]ontent-[Ll]ength: 5\r\n"));
  EXPECT_THAT(answered("HTTP/1.1 204 No Content\r\n\r\n"), Not(HasSubstr("ransfer-")));
}

TEST_F(GatewayFieldsTest, a_malformed_answer_becomes_502) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        "HTTP/1.1 200 OK\nX: 1\n\n", "nonsense\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n"}) {
    EXPECT_THAT(answered(bytes), StartsWith("HTTP/1.1 502 ")) << bytes;
  }
}

TEST_F(GatewayFieldsTest, tells_a_client_its_endpoint_and_finds_it_again) {
  config.sticky.emplace();
  config.timeouts.keepalive = 0s;
  const std::string head = answered(ok);
  const size_t at = head.find("spillway_endpoint=");
  ASSERT_NE(at, std::string::npos) << head;
  EXPECT_THAT(head, HasSubstr("; Path=/; HttpOnly; SameSite=Lax"));
  const std::string cookie = head.substr(at, head.find(';', at) - at);
  const std::string again =
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: other=1; " + cookie + "\r\nConnection: close\r\n\r\n";
  runtime::PeerListener other(loop);
  service->with([&](ServiceState& state) {
    const SocketAddress here = upstream_listener.address();
    const SocketAddress there = other.address();
    const std::vector<upstream::EndpointSpec> specs{
        {.name = to_string(here), .address = here, .is_proven = true},
        {.name = to_string(there), .address = there, .weight = 1000, .is_proven = true}};
    state.cluster.set_endpoints(specs, loop.now());
  });
  for (int i = 0; i < 5; ++i) EXPECT_THAT(answered(ok, again), Not(HasSubstr("set-cookie")));
  EXPECT_TRUE(other.stays_silent());
}

TEST_F(GatewayFieldsTest, sends_equal_keys_to_one_endpoint) {
  runtime::PeerListener other(loop);
  endpoints.push_back(other.address());
  config.balance = *upstream::Balance::parse("ring_hash(header:x-user)");
  config.timeouts.keepalive = 0s;
  std::vector<uint64_t> at_first;
  for (int user = 0; user < 16; ++user) {
    for (int i = 0; i < 2; ++i) {
      runtime::Peer from = connect();
      from.send("GET / HTTP/1.1\r\nHost: a\r\nX-User: " + std::to_string(user) + "\r\n\r\n");
      ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 1; }));
      const auto status =
          service->with([&](ServiceState& s) { return s.cluster.status(loop.now()); });
      at_first.push_back(status.endpoints[0].in_flight);
      from.close();
      ASSERT_TRUE(runtime::turn_until(loop, [&] { return in_flight() == 0; }));
    }
    EXPECT_EQ(at_first[at_first.size() - 1], at_first[at_first.size() - 2]) << user;
  }
  EXPECT_THAT(at_first, testing::Contains(0u));
  EXPECT_THAT(at_first, testing::Contains(1u));
}

TEST_F(GatewayFieldsTest, logs_and_counts_what_was_refused_before_it_was_a_request) {
  made().set_access_log(&log);
  limits.head_timeout = 50ms;
  limits.body_bytes_max = 10;
  const std::array requests{
      std::pair{400, std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")},
      std::pair{408, std::string("GET / HTTP/1.1\r\nHo")},
      std::pair{413, std::string("POST /up?x=1 HTTP/1.1\r\nHost: a\r\n"
                                 "Content-Length: 11\r\n\r\n")},
      std::pair{414, "GET /" + std::string(20'000, 'a')},
      std::pair{431, "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(100'000, 'a')}};
  for (const auto& [status, request] : requests) {
    EXPECT_THAT(refused(request), StartsWith(fmt::format("HTTP/1.1 {} ", status)));
    ASSERT_FALSE(log.lines.empty()) << status;
    EXPECT_THAT(log.lines.back(), HasSubstr(fmt::format("\"status\":{},", status)));
    EXPECT_THAT(log.lines.back(), HasSubstr("\"client_ip\":\"192.0.2.7\""));
    EXPECT_THAT(log.lines.back(), HasSubstr("\"error\":\""));
  }
  EXPECT_EQ(log.lines.size(), requests.size());
  EXPECT_THAT(log.lines[2], HasSubstr("\"method\":\"POST\",\"protocol\":\"HTTP/1.1\","
                                      "\"scheme\":\"http\",\"host\":\"a\",\"path\":\"/up\""));
  const std::string text = telemetry::prometheus_text(registry.snapshot());
  EXPECT_THAT(text, HasSubstr("http_request_duration_seconds_count{method=\"POST\",route=\"none\","
                              "status_code=\"413\"} 1"));
}

TEST_F(GatewayFieldsTest, logs_who_asked_for_what_is_refused_early) {
  route.path = *PathPattern::parse("/only");
  made().set_access_log(&log);
  refused("GET /else HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  refused("TRACE / HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  ASSERT_EQ(log.lines.size(), 2u);
  for (const std::string& line : log.lines) {
    EXPECT_THAT(line, HasSubstr("\"host\":\"shop.example\""));
    EXPECT_THAT(line, HasSubstr("\"client_ip\":\"192.0.2.7\""));
    EXPECT_THAT(line, Not(HasSubstr("\"trace_id\":\"00000000")));
  }
}

}  // namespace
}  // namespace spillway::gateway
