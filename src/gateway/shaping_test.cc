// gateway/shaping_test.cc: redirects, rewrites, header rules, origins and careful browsers.
#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ValueTemplate text(std::string_view written) { return *ValueTemplate::parse(written); }

class ShapingTest : public GatewayTest {
 protected:
  ShapingTest() { endpoints = {origin.address()}; }

  // One request on a connection of its own: what the client gets; what the service saw is in
  // `seen`.
  std::string ask(const std::string& target, const std::string& fields = "",
                  const std::string& answered = "", const std::string& method = "GET") {
    runtime::Peer peer = connect();
    peer.send(method + " " + target + " HTTP/1.1\r\nHost: Shop.Example:8080\r\n" + fields +
              "Connection: close\r\n\r\n");
    std::optional<runtime::Peer> asked;
    runtime::turn_until(loop, [&] {
      if (!asked) asked = origin.try_accept();
      return asked || peer.has_ended();
    });
    seen.clear();
    if (asked) {
      seen = asked->take_head();
      asked->send("HTTP/1.1 200 OK\r\n" + answered +
                  "Content-Length: 2\r\nConnection: close\r\n\r\nok");
    }
    return peer.take_rest();
  }

  runtime::PeerListener origin{loop};
  std::string seen;
};

TEST(ValueTemplate, reads_places_and_refuses_what_is_none) {
  EXPECT_TRUE(text("plain").is_fixed());
  EXPECT_TRUE(text("").is_fixed());
  EXPECT_EQ(text("a {{b}} c").parts.front().text, "a {b}} c");
  EXPECT_EQ(text("x{path}{query}y").parts.size(), 3u);
  for (const char* bad : {"{", "{nothing}", "{path", "a\r\nb", "{Path}", "\x7f"}) {
    EXPECT_FALSE(ValueTemplate::parse(bad)) << bad;
  }
}

TEST_F(ShapingTest, a_redirect_fills_in_the_normal_path_and_the_query) {
  route.redirect = RedirectConfig{.to = text("https://new.example{path}{query}"), .status = 301};
  const std::string answer = ask("/a/../b//c?x=1");
  EXPECT_THAT(answer, HasSubstr("301 Moved Permanently"));
  EXPECT_THAT(answer, HasSubstr("location: https://new.example/b/c?x=1\r\n"));
  EXPECT_THAT(ask("/b"), HasSubstr("location: https://new.example/b\r\n"));
  EXPECT_EQ(seen, "");
}

TEST_F(ShapingTest, a_redirect_to_the_path_alone_never_names_another_host) {
  route.redirect = RedirectConfig{.to = text("{path}")};
  EXPECT_THAT(ask("//evil.example/x"), HasSubstr("location: /evil.example/x\r\n"));
}

TEST_F(ShapingTest, a_prefix_is_taken_off_and_the_service_is_told) {
  route.rewrite = RewriteConfig{.strip_prefix = "/api"};
  ask("/api/users?x=1", "X-Forwarded-Prefix: /forged\r\n");
  EXPECT_THAT(seen, HasSubstr("GET /users?x=1 HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-forwarded-prefix: /api\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("forged")));
  ask("/api");
  EXPECT_THAT(seen, HasSubstr("GET / HTTP/1.1\r\n"));
  ask("/apix");
  EXPECT_THAT(seen, HasSubstr("GET /apix HTTP/1.1\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("x-forwarded-prefix")));
}

TEST_F(ShapingTest, paths_and_hosts_are_put_in_place_of_the_clients) {
  route.rewrite = RewriteConfig{.strip_prefix = "/old", .add_prefix = "/v2", .host = "in.example"};
  ask("/old/x");
  EXPECT_THAT(seen, HasSubstr("GET /v2/x HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("host: in.example\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-forwarded-host: Shop.Example:8080\r\n"));
}

// As long as a URL may be, not as long as what usually suffices.
TEST_F(ShapingTest, the_longest_urls_fit_wherever_the_plan_puts_them) {
  const std::string query(5000, 'q');
  const std::string path = "/" + std::string(2000, 'p');
  route.request_headers = {.set = {{"x-query", text("{query}")}}};
  route.response_headers = {.set = {{"x-query", text("{query}")}, {"x-path", text("{path}")}}};
  route.rewrite = RewriteConfig{.add_prefix = "/" + std::string(3000, 'a')};
  const std::string answer = ask(path + "?" + query);
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("x-query: ?" + query + "\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-query: ?" + query + "\r\n"));
  EXPECT_THAT(seen, HasSubstr("a" + path + "?"));
}

TEST_F(ShapingTest, a_long_path_leaves_room_for_the_steps_behind_it) {
  const std::string path = "/" + std::string(5000, 'p');
  EXPECT_THAT(ask("/" + path), HasSubstr("200 OK"));
  EXPECT_THAT(seen, HasSubstr("GET " + path + " HTTP/1.1\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-forwarded-for: "));
}

TEST_F(ShapingTest, the_longest_urls_fit_into_a_redirect) {
  const std::string query(5000, 'q');
  const std::string path = "/" + std::string(2000, 'p');
  route.redirect = RedirectConfig{.to = text("https://new.example{path}{query}")};
  EXPECT_THAT(ask(path + "?" + query),
              HasSubstr("location: https://new.example" + path + "?" + query + "\r\n"));
}

TEST_F(ShapingTest, header_rules_remove_set_and_add) {
  route.request_headers = {.remove = {{"x-secret"}},
                           .set = {{"x-client", text("{client_ip} via {route}")}},
                           .add = {{"x-tag", text("one")}}};
  route.response_headers = {
      .remove = {{"x-powered-by"}}, .set = {{"x-id", text("{host}")}}, .add = {}};
  const std::string answer = ask("/", "X-Secret: 1\r\nX-Client: forged\r\nX-Tag: zero\r\n",
                                 "X-Powered-By: Node\r\nX-Id: 7\r\n");
  EXPECT_THAT(seen, HasSubstr("x-client: 192.0.2.7 via /*\r\n"));
  EXPECT_THAT(seen, HasSubstr("X-Tag: zero\r\n"));
  EXPECT_THAT(seen, HasSubstr("x-tag: one\r\n"));
  EXPECT_THAT(seen, Not(HasSubstr("ecret")));
  EXPECT_THAT(seen, Not(HasSubstr("forged")));
  EXPECT_THAT(answer, HasSubstr("x-id: Shop.Example\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("Node")));
}

TEST_F(ShapingTest, security_headers_stand_where_the_service_says_nothing) {
  security_headers.emplace();
  security_headers->content_security_policy = "default-src 'self'";
  const std::string answer = ask("/", "", "X-Frame-Options: DENY\r\n");
  EXPECT_THAT(answer, HasSubstr("x-content-type-options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("content-security-policy: default-src 'self'\r\n"));
  EXPECT_THAT(answer, HasSubstr("DENY"));
  EXPECT_THAT(answer, Not(HasSubstr("SAMEORIGIN")));
}

TEST_F(ShapingTest, preflights_are_answered_here_by_the_route_of_the_request_to_come) {
  route.methods = {{"PUT"}};
  route.cors = CorsConfig{.origins = {"https://app.example", "https://*.shops.example"},
                          .credentials = true,
                          .max_age = 1min};
  const std::string question = "Access-Control-Request-Method: PUT\r\n";
  for (const char* origin : {"https://app.example", "https://a.b.shops.example"}) {
    const std::string answer =
        ask("/x", question + "Access-Control-Request-Headers: x-a\r\nOrigin: " + origin + "\r\n",
            "", "OPTIONS");
    EXPECT_THAT(answer, HasSubstr("204 No Content"));
    EXPECT_THAT(answer, HasSubstr(std::string("access-control-allow-origin: ") + origin + "\r\n"));
    EXPECT_THAT(answer, HasSubstr("access-control-allow-credentials: true\r\n"));
    EXPECT_THAT(answer, HasSubstr("access-control-allow-headers: x-a\r\n"));
    EXPECT_THAT(answer, HasSubstr("access-control-max-age: 60\r\n"));
    EXPECT_EQ(seen, "");
  }
  for (const char* origin : {"https://evil.example", "https://shops.example", "null",
                             "http://app.example", "https://app.example.evil"}) {
    const std::string answer = ask("/x", question + "Origin: " + origin + "\r\n", "", "OPTIONS");
    EXPECT_THAT(answer, HasSubstr("403 Forbidden"));
    EXPECT_THAT(answer, Not(HasSubstr("allow-origin"))) << origin;
  }
}

TEST_F(ShapingTest, answers_say_who_may_read_them_whatever_the_service_says) {
  cors = CorsConfig{.origins = {"https://app.example"}, .expose = {"x-total"}};
  const std::string own = "Access-Control-Allow-Origin: *\r\nVary: Cookie\r\n";
  const std::string good = ask("/", "Origin: https://app.example\r\n", own);
  EXPECT_THAT(good, HasSubstr("access-control-allow-origin: https://app.example\r\n"));
  EXPECT_THAT(good, HasSubstr("access-control-expose-headers: x-total\r\n"));
  EXPECT_THAT(good, HasSubstr("vary: Origin\r\n"));
  const std::string bad = ask("/", "Origin: https://evil.example\r\n", own);
  EXPECT_THAT(bad, Not(HasSubstr("llow-")));
  EXPECT_THAT(bad, HasSubstr("vary: Origin\r\n"));
  cors->origins = {"*"};
  gateway.reset();
  EXPECT_THAT(ask("/", "Origin: https://any.example\r\n"),
              HasSubstr("access-control-allow-origin: *\r\n"));
}

}  // namespace
}  // namespace spillway::gateway
