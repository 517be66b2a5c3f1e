// gateway/pages_test.cc: what people see of errors and while the application is closed.
#include "gateway/pages.h"

#include <gmock/gmock.h>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Result<std::string> read_page(const std::string& path) {
  if (path == "e.html") return "<p>{status} {reason} {request_id} {other}</p>";
  if (path == "e.json") return R"({"error":{status}})";
  if (path == "closed.html") return "<p>closed</p>";
  return fail(Error::Code::not_found, path + ": No such file or directory");
}

upstream::StatusRanges statuses(std::string_view text) {
  return *upstream::StatusRanges::parse(text);
}

class PagesTest : public GatewayTest {
 protected:
  PagesTest() { endpoints = {origin.address()}; }

  void load(const std::vector<ErrorPageConfig>& errors) {
    auto loaded = Pages::load(errors, maintenance, read_page);
    ASSERT_TRUE(loaded) << loaded.error().detail;
    pages = std::make_shared<const Pages>(std::move(*loaded));
  }
  std::string ask(const std::string& fields, const std::string& answer,
                  const std::string& target = "/x") {
    runtime::Peer peer = connect();
    peer.send("GET " + target + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + "\r\n");
    if (!answer.empty()) {
      // On a new connection, or the one that was kept.
      runtime::turn_until(loop, [&] {
        if (auto fresh = origin.try_accept()) asked = std::move(fresh);
        return asked && !asked->received().empty();
      });
      asked->take_head();
      asked->send(answer);
    }
    return peer.take_rest();
  }

  runtime::PeerListener origin{loop};
  std::optional<runtime::Peer> asked;
};

TEST(Page, fills_in_what_it_knows_and_leaves_the_rest) {
  const Page page("e.html", "{status}{reason}{request_id}{statu} a { b }{{status}}");
  EXPECT_EQ(page.text(404, "id<b>-1"), "404Not Foundidb-1{statu} a { b }{404}");
  EXPECT_EQ(page.content_type(), "text/html; charset=utf-8");
  EXPECT_EQ(Page("e.txt", "").text(500, ""), "");
}

TEST(Pages, says_which_file_is_not_there) {
  const auto loaded = Pages::load({{.status = statuses("404"), .file = "no.html"}}, {}, read_page);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().detail, HasSubstr("no.html"));
}

TEST_F(PagesTest, our_errors_come_in_the_type_that_the_client_likes) {
  route.path = *PathPattern::parse("/only");
  load({{.status = statuses("400-499"), .file = "e.html"},
        {.status = statuses("404"), .file = "e.json"}});
  EXPECT_THAT(ask("", ""), HasSubstr("content-type: text/html; charset=utf-8\r\n"));
  EXPECT_THAT(ask("Accept: application/json\r\n", ""), EndsWith("\r\n\r\n{\"error\":404}"));
  EXPECT_THAT(ask("Accept: text/html;q=0.5, application/json\r\n", ""),
              EndsWith("{\"error\":404}"));
  EXPECT_THAT(ask("Accept: image/png\r\n", ""),
              EndsWith("404 Not Found: no route matches this request\n"));
}

TEST_F(PagesTest, a_head_request_gets_the_length_and_no_page) {
  route.path = *PathPattern::parse("/only");
  load({{.status = statuses("404"), .file = "e.json"}});
  runtime::Peer peer = connect();
  peer.send("HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string answer = peer.take_rest();
  EXPECT_THAT(answer, HasSubstr("content-length: 13\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(PagesTest, a_services_error_keeps_its_fields_but_not_its_body) {
  load({{.status = statuses("500-599"), .file = "e.html", .intercept = true}});
  const std::string answer =
      ask("",
          "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n"
          "ETag: \"1\"\r\nSet-Cookie: a=b\r\nContent-Security-Policy: script-src 'none'\r\n\r\n"
          "stack");
  EXPECT_THAT(answer, HasSubstr("500 Oops"));
  EXPECT_THAT(answer, HasSubstr("Set-Cookie: a=b\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: script-src 'none'\r\n"));
  EXPECT_THAT(answer, HasSubstr("<p>500 Internal Server Error "));
  EXPECT_THAT(answer, Not(HasSubstr("stack")));
  EXPECT_THAT(answer, Not(HasSubstr("ETag")));
  EXPECT_THAT(answer, Not(HasSubstr("text/plain")));
}

TEST_F(PagesTest, an_unread_body_of_a_service_does_not_mix_into_the_next_answer) {
  load({{.status = statuses("500-599"), .file = "e.json", .intercept = true}});
  ask("", "HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nonly the beginning");
  EXPECT_THAT(ask("", ok), EndsWith("\r\n\r\nok"));
  EXPECT_EQ(in_flight(), 0u);
}

TEST_F(PagesTest, caches_are_told_where_accept_chooses) {
  const std::string chosen = "vary: Accept\r\n";
  load({{.status = statuses("500-599"), .file = "e.json", .intercept = true},
        {.status = statuses("404"), .file = "e.html"}});
  const std::string broken = "HTTP/1.1 500 Oops\r\nContent-Length: 5\r\n\r\nstack";
  EXPECT_THAT(ask("", broken), HasSubstr(chosen));
  EXPECT_THAT(ask("Accept: image/png\r\n", broken), HasSubstr(chosen)) << "the service's body";
  EXPECT_THAT(ask("", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nmine"),
              Not(HasSubstr(chosen)));
  EXPECT_THAT(ask("", ok), Not(HasSubstr(chosen)));
}

TEST_F(PagesTest, a_page_of_ours_is_not_for_services_unless_it_says_so) {
  load({{.status = statuses("404"), .file = "e.html"}});
  EXPECT_THAT(ask("", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nmine"),
              EndsWith("\r\n\r\nmine"));
}

TEST_F(PagesTest, maintenance_closes_for_all_but_those_allowed) {
  maintenance = {.enabled = true,
                 .page = "closed.html",
                 .retry_after = 90s,
                 .allow = {*IpPrefix::parse("10.0.0.0/8")}};
  load({});
  const std::string answer = ask("", "");
  EXPECT_THAT(answer, HasSubstr("503 Service Unavailable"));
  EXPECT_THAT(answer, HasSubstr("retry-after: 90\r\n"));
  EXPECT_THAT(answer, HasSubstr("cache-control: no-store\r\n"));
  EXPECT_THAT(answer, EndsWith("<p>closed</p>"));
  EXPECT_THAT(ask("", ok, "/.well-known/acme-challenge/x"), HasSubstr("200 OK"));
  client.peer = *SocketAddress::parse("10.1.2.3:4711");
  EXPECT_THAT(ask("", ok), HasSubstr("200 OK"));
}

TEST_F(PagesTest, maintenance_is_switched_while_running_and_ends_by_itself) {
  EXPECT_THAT(ask("", ok), HasSubstr("200 OK"));
  gateway->use(std::make_shared<const Switches>(
      Switches{.maintenance = {{.is_on = true, .until = loop.now() + 1h}}}));
  EXPECT_THAT(ask("", ""), HasSubstr("503 Service Unavailable: closed for maintenance"));
  gateway->use(std::make_shared<const Switches>(
      Switches{.maintenance = {{.is_on = true, .until = loop.now()}}}));
  EXPECT_THAT(ask("", ok), HasSubstr("200 OK"));
}

TEST_F(PagesTest, one_route_can_be_closed_alone) {
  route.maintenance = true;
  EXPECT_THAT(ask("", ""), HasSubstr("503 Service Unavailable"));
}

}  // namespace
}  // namespace spillway::gateway
