// gateway/client_access_test.cc: clients that are not served, and queries that are too long.
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"
#include "http/http2_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::HasSubstr;

class ClientAccessTest : public GatewayTest {
 protected:
  ClientAccessTest() { endpoints = {origin.address()}; }

  void use(std::vector<AddressSet::Entry> allowed, std::vector<AddressSet::Entry> denied) {
    made().use(std::make_shared<const ClientRules>(ClientRules{
        .allowed = AddressSet(std::move(allowed)), .denied = AddressSet(std::move(denied))}));
  }
  std::string ask(const std::string& target = "/") {
    runtime::Peer peer = connect();
    peer.send("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    std::optional<runtime::Peer> asked;
    runtime::turn_until(loop, [&] {
      if (!asked) asked = origin.try_accept();
      return asked || peer.has_ended();
    });
    if (!asked) return peer.take_rest();
    asked->take_head();
    asked->send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    return peer.take_head();
  }

  runtime::PeerListener origin{loop};
};

TEST_F(ClientAccessTest, answers_403_to_a_denied_client_and_closes) {
  made().set_access_log(&log);
  use({}, {{*IpPrefix::parse("192.0.2.0/24")}});
  EXPECT_THAT(ask(), HasSubstr("HTTP/1.1 403 Forbidden\r\n"));  // It read until the end.
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_THAT(log.lines.front(), HasSubstr("client denied"));
}

// Whom we do not serve learns nothing of our routes.
TEST_F(ClientAccessTest, answers_403_to_a_denied_client_wherever_it_asks) {
  route.path = *PathPattern::parse("/known");
  use({}, {{*IpPrefix::parse("192.0.2.0/24")}});
  EXPECT_THAT(ask("/unknown"), HasSubstr("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(ask("/%zz"), HasSubstr("HTTP/1.1 403 Forbidden\r\n"));
}

TEST_F(ClientAccessTest, says_nothing_in_clear_where_https_is_spoken) {
  route.path = *PathPattern::parse("/known");
  client.redirect_port = 443;
  runtime::Peer peer = connect();
  peer.send("GET /unknown HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(peer.take_head(), HasSubstr("location: https://a/unknown\r\n"));
  runtime::Peer lost = connect();
  lost.send("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THAT(lost.take_head(), HasSubstr("HTTP/1.1 400 "));
}

TEST_F(ClientAccessTest, ends_the_http2_connection_of_a_denied_client) {
  use({}, {{*IpPrefix::parse("192.0.2.0/24")}});
  http::Http2Peer peer(connect());
  peer.greet();
  peer.headers(1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/"}});
  EXPECT_EQ(peer.answer(1).status(), "403");
  EXPECT_EQ(peer.end_code(), NGHTTP2_NO_ERROR);
}

TEST_F(ClientAccessTest, serves_whom_the_rules_allow_and_whom_they_do_not_name) {
  use({{*IpPrefix::parse("192.0.2.7")}}, {{*IpPrefix::parse("192.0.2.0/24")}});
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  use({}, {{*IpPrefix::parse("198.51.100.0/24")}});
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
}

TEST_F(ClientAccessTest, spares_an_allowed_client_the_limits) {
  limit_configs["few"] = {.rate = *upstream::RateRule::parse("1 per 1m")};
  route.limit.push_back("few");
  use({{*IpPrefix::parse("192.0.2.7")}}, {});
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
  EXPECT_THAT(ask(), HasSubstr("200 OK"));
}

TEST_F(ClientAccessTest, takes_as_many_parameters_as_the_plan_says) {
  parameters_max = 3;
  EXPECT_THAT(ask("/?a=1&b=2&c=3"), HasSubstr("200 OK"));
  runtime::Peer peer = connect();
  peer.send("GET /?a&b&&c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(peer.take_rest(), HasSubstr("HTTP/1.1 400 Bad Request\r\n"));
}

}  // namespace
}  // namespace spillway::gateway
