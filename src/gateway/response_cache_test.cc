// gateway/response_cache_test.cc: what is kept, for whom, and who waits for whom.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "gateway/gateway_testing.h"

namespace spillway::gateway {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string answer(const std::string& fields, const std::string& body = "ok",
                   const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\n" + fields +
         "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class ResponseCacheTest : public GatewayTest {
 protected:
  ResponseCacheTest() {
    endpoints = {origin.address()};
    route.cache = RouteCacheConfig{};
  }
  // Sends a request on a connection of its own.
  runtime::Peer ask(const std::string& target, const std::string& fields = "",
                    const std::string& method = "GET") {
    runtime::Peer peer = connect();
    peer.send(method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fields +
              "Connection: close\r\n\r\n");
    return peer;
  }
  // The service gets one request, and answers it. What it got.
  std::string serve(const std::string& with) {
    runtime::Peer service_side = origin.accept();
    const std::string request = service_side.take_head();
    service_side.send(with);
    services.push_back(std::move(service_side));
    return request;
  }
  // Of a request that the service has to answer.
  std::string fetched(const std::string& target, const std::string& with,
                      const std::string& fields = "") {
    runtime::Peer peer = ask(target, fields);
    seen = serve(with);
    return peer.take_rest();
  }
  // Of one that is answered without it.
  std::string cached(const std::string& target, const std::string& fields = "",
                     const std::string& method = "GET") {
    runtime::Peer peer = ask(target, fields, method);
    const std::string text = peer.take_rest();
    EXPECT_TRUE(origin.stays_silent()) << "the service was asked";
    return text;
  }

  runtime::PeerListener origin{loop};
  std::vector<runtime::Peer> services;
  std::string seen;  // By the service.
};

TEST_F(ResponseCacheTest, an_answer_is_fetched_once_and_given_to_all) {
  const std::string first = fetched("/a", answer("Cache-Control: max-age=60\r\nX-A: 1\r\n"));
  EXPECT_THAT(first, HasSubstr("cache-status: spillway; fwd=uri-miss; stored\r\n"));
  EXPECT_THAT(first, EndsWith("\r\n\r\nok"));
  const std::string again = cached("/a");
  EXPECT_THAT(again, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(again, HasSubstr("cache-status: spillway; hit; ttl="));
  EXPECT_THAT(again, HasSubstr("X-A: 1\r\n"));
  EXPECT_THAT(again, HasSubstr("age: "));
  EXPECT_THAT(again, HasSubstr("content-length: 2\r\n"));
  EXPECT_THAT(again, EndsWith("\r\n\r\nok"));
  // Another query, host or scheme is something else.
  EXPECT_THAT(fetched("/a?x", answer("", "other")), EndsWith("other"));
}

TEST_F(ResponseCacheTest, what_says_nothing_is_not_kept_unless_the_plan_does) {
  EXPECT_THAT(fetched("/a", answer("")),
              HasSubstr("cache-status: spillway; fwd=uri-miss; detail=nothing-to-gain\r\n"));
  EXPECT_THAT(fetched("/a", answer("")), EndsWith("ok"));
}

TEST_F(ResponseCacheTest, the_plans_ttl_counts_for_what_says_nothing) {
  route.cache->ttl = 60s;
  fetched("/a", answer(""));
  EXPECT_THAT(cached("/a"), EndsWith("ok"));
  EXPECT_THAT(fetched("/b", answer("Cache-Control: no-store\r\n")),
              HasSubstr("detail=no-store\r\n"));
}

TEST_F(ResponseCacheTest, head_parts_and_conditions_are_answered_from_what_is_kept) {
  fetched("/a", answer("Cache-Control: max-age=60\r\nETag: \"1\"\r\nContent-Type: text/plain\r\n",
                       "0123456789"));
  const std::string head = cached("/a", "", "HEAD");
  EXPECT_THAT(head, HasSubstr("content-length: 10\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  const std::string same = cached("/a", "If-None-Match: \"1\"\r\n");
  EXPECT_THAT(same, StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(same, HasSubstr("ETag: \"1\"\r\n"));
  EXPECT_THAT(same, Not(HasSubstr("Content-Type")));
  const std::string part = cached("/a", "Range: bytes=2-4\r\n");
  EXPECT_THAT(part, StartsWith("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_THAT(part, HasSubstr("content-range: bytes 2-4/10\r\n"));
  EXPECT_THAT(part, EndsWith("\r\n\r\n234"));
  EXPECT_THAT(cached("/a", "Range: bytes=20-\r\n"), StartsWith("HTTP/1.1 416"));
  EXPECT_THAT(cached("/a", "Range: bytes=0-1\r\nIf-Range: \"2\"\r\n"), EndsWith("0123456789"));
}

TEST_F(ResponseCacheTest, what_is_stale_is_validated_and_renewed) {
  fetched("/a", answer("Cache-Control: max-age=0\r\nETag: \"1\"\r\nX-A: 1\r\n"));
  runtime::Peer peer = ask("/a");
  const std::string request = serve(
      "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nETag: \"1\"\r\nX-A: 2\r\n"
      "Cache-Control: max-age=60\r\n\r\n");
  EXPECT_THAT(request, HasSubstr("if-none-match: \"1\"\r\n"));
  const std::string text = peer.take_rest();
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("X-A: 2\r\n"));
  EXPECT_THAT(text,
              HasSubstr("cache-status: spillway; hit; fwd=stale; fwd-status=304; stored\r\n"));
  EXPECT_THAT(text, EndsWith("\r\n\r\nok"));
  EXPECT_THAT(cached("/a"), HasSubstr("X-A: 2\r\n"));
}

TEST_F(ResponseCacheTest, a_304_of_something_else_validates_nothing) {
  fetched("/a", answer("Cache-Control: max-age=0\r\nETag: \"1\"\r\n"));
  runtime::Peer peer = ask("/a");
  runtime::Peer service_side = origin.accept();
  EXPECT_THAT(service_side.take_head(), HasSubstr("if-none-match"));
  service_side.send("HTTP/1.1 304 Not Modified\r\nETag: \"2\"\r\n\r\n");
  EXPECT_THAT(service_side.take_head(), Not(HasSubstr("if-none-match")));
  service_side.send(answer("ETag: \"2\"\r\nCache-Control: max-age=60\r\n", "new"));
  EXPECT_THAT(peer.take_rest(), EndsWith("\r\n\r\nnew"));
  EXPECT_THAT(cached("/a"), EndsWith("new"));
}

TEST_F(ResponseCacheTest, a_service_that_fails_is_covered_for_as_long_as_is_allowed) {
  route.cache->stale_if_error = 1h;
  fetched("/a", answer("Cache-Control: max-age=0\r\nETag: \"1\"\r\n", "good"));
  const std::string text = fetched("/a", answer("", "bad", "503 Service Unavailable"));
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, HasSubstr("fwd=stale; fwd-status=503"));
  EXPECT_THAT(text, EndsWith("good"));
  // A client that wants it validated gets the truth.
  EXPECT_THAT(
      fetched("/a", answer("", "bad", "503 Service Unavailable"), "Cache-Control: no-cache\r\n"),
      StartsWith("HTTP/1.1 503"));
}

TEST_F(ResponseCacheTest, a_little_stale_is_sent_at_once_while_it_is_fetched_anew) {
  fetched("/a", answer("Cache-Control: max-age=0, stale-while-revalidate=60\r\n", "old"));
  runtime::Peer peer = ask("/a");
  EXPECT_THAT(peer.take_rest(), EndsWith("old"));
  serve(answer("Cache-Control: max-age=60\r\n", "new"));
  turn(20);
  EXPECT_THAT(cached("/a"), EndsWith("new"));
}

TEST_F(ResponseCacheTest, many_who_ask_at_once_cause_one_request) {
  std::vector<runtime::Peer> peers;
  for (int i = 0; i < 20; ++i) peers.push_back(ask("/a"));
  turn();
  runtime::Peer service_side = origin.accept();
  service_side.take_head();
  EXPECT_TRUE(origin.stays_silent());
  service_side.send(
      "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 8\r\n\r\nhalf");
  EXPECT_THAT(peers[7].take_through("half"), HasSubstr("collapsed"));  // As it comes.
  service_side.send("more");
  for (size_t i = 0; i < peers.size(); ++i) {
    EXPECT_THAT(peers[i].take_rest(), EndsWith("more")) << i;
  }
  EXPECT_TRUE(origin.stays_silent());
}

TEST_F(ResponseCacheTest, what_is_for_one_alone_makes_the_others_ask_for_themselves) {
  runtime::Peer first = ask("/a");
  runtime::Peer second = ask("/a");
  turn();
  runtime::Peer one = origin.accept();
  one.take_head();
  one.send(answer("Cache-Control: private\r\n", "first's"));
  runtime::Peer other = origin.accept();
  other.take_head();
  other.send(answer("Cache-Control: private\r\n", "second's"));
  EXPECT_THAT(first.take_rest(), EndsWith("first's"));
  EXPECT_THAT(second.take_rest(), EndsWith("second's"));
}

TEST_F(ResponseCacheTest, a_client_that_leaves_does_not_end_the_fetch_of_others) {
  runtime::Peer first = ask("/a");
  runtime::Peer second = ask("/a");
  turn();
  runtime::Peer service_side = origin.accept();
  service_side.take_head();
  first.close();
  turn();
  service_side.send(answer("Cache-Control: max-age=60\r\n"));
  EXPECT_THAT(second.take_rest(), EndsWith("ok"));
}

TEST_F(ResponseCacheTest, a_body_that_is_cut_is_shown_as_cut_and_not_kept) {
  runtime::Peer peer = ask("/a");
  runtime::Peer service_side = origin.accept();
  service_side.take_head();
  service_side.send(
      "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 8\r\n\r\nhalf");
  service_side.close();
  EXPECT_THAT(peer.take_rest(), EndsWith("half"));
  EXPECT_EQ(cache.memory.usage().entries, 0U);
  EXPECT_THAT(fetched("/a", answer("Cache-Control: max-age=60\r\n", "whole")), EndsWith("whole"));
}

TEST_F(ResponseCacheTest, variants_are_kept_apart) {
  const std::string vary = "Cache-Control: max-age=60\r\nVary: X-Lang\r\n";
  fetched("/a", answer(vary, "english"), "X-Lang: en\r\n");
  EXPECT_THAT(fetched("/a", answer(vary, "german"), "X-Lang: de\r\n"),
              HasSubstr("fwd=vary-miss; stored"));
  EXPECT_THAT(cached("/a", "X-Lang: en\r\n"), EndsWith("english"));
  EXPECT_THAT(cached("/a", "X-Lang: de\r\n"), EndsWith("german"));
}

TEST_F(ResponseCacheTest, a_coded_body_is_for_those_who_take_it) {
  const std::string coded = "Cache-Control: max-age=60\r\nContent-Encoding: gzip\r\n";
  fetched("/a", answer(coded, "coded"), "Accept-Encoding: br;q=0.5, gzip\r\n");
  EXPECT_THAT(seen, HasSubstr("accept-encoding: br, gzip\r\n"));
  EXPECT_THAT(cached("/a", "Accept-Encoding: gzip, br\r\n"), EndsWith("coded"));
  EXPECT_THAT(fetched("/a", answer("Cache-Control: max-age=60\r\n", "plain")), EndsWith("plain"));
}

TEST_F(ResponseCacheTest, what_somebody_changes_is_fetched_anew) {
  fetched("/a", answer("Cache-Control: max-age=60\r\n", "old"));
  fetched("/b", answer("Cache-Control: max-age=60\r\n", "old"));
  fetched("/c", answer("Cache-Control: max-age=60\r\n", "kept"));
  runtime::Peer peer = ask("/a", "Content-Length: 0\r\n", "POST");
  serve(answer("Location: /x/../b\r\n", "", "303 See Other"));
  EXPECT_THAT(peer.take_rest(), HasSubstr("cache-status: spillway; fwd=method\r\n"));
  EXPECT_THAT(fetched("/a", answer("", "new")), EndsWith("new"));
  EXPECT_THAT(fetched("/b", answer("", "new")), EndsWith("new"));
  EXPECT_THAT(cached("/c"), EndsWith("kept"));
}

TEST_F(ResponseCacheTest, a_fetch_that_began_before_a_change_is_not_kept) {
  runtime::Peer reader = ask("/a");
  turn();
  runtime::Peer service_side = origin.accept();
  service_side.take_head();
  runtime::Peer writer = ask("/a", "Content-Length: 0\r\n", "PUT");
  serve(answer("", "", "204 No Content"));
  writer.take_rest();
  service_side.send(answer("Cache-Control: max-age=60\r\n", "old"));
  EXPECT_THAT(reader.take_rest(), EndsWith("old"));
  EXPECT_THAT(fetched("/a", answer("", "new")), EndsWith("new"));
}

TEST_F(ResponseCacheTest, an_error_changes_nothing) {
  fetched("/a", answer("Cache-Control: max-age=60\r\n", "kept"));
  runtime::Peer peer = ask("/a", "Content-Length: 0\r\n", "POST");
  serve(answer("", "", "409 Conflict"));
  peer.take_rest();
  EXPECT_THAT(cached("/a"), EndsWith("kept"));
}

TEST_F(ResponseCacheTest, keys_are_made_as_the_plan_says) {
  route.cache->ttl = 60s;
  route.cache->key = {.query = {{"page"}}, .headers = {"x-tenant"}, .cookies = {"lang"}};
  fetched("/a?page=1&utm=x", answer("", "one"), "X-Tenant: t\r\nCookie: lang=en; s=1\r\n");
  EXPECT_THAT(seen, StartsWith("GET /a?page=1&utm=x HTTP/1.1\r\n"));
  EXPECT_THAT(cached("/a?utm=y&page=1", "Cookie: s=2; lang=en\r\nX-Tenant: t\r\n"),
              EndsWith("one"));
  fetched("/a?page=2", answer("", "x"), "X-Tenant: t\r\nCookie: lang=en\r\n");
  fetched("/a?page=1", answer("", "x"), "X-Tenant: u\r\nCookie: lang=en\r\n");
  fetched("/a?page=1", answer("", "x"), "X-Tenant: t\r\nCookie: lang=de\r\n");
  fetched("/a?page=1", answer("", "x"), "X-Tenant: t\r\n");
  // Whatever the query, it is one resource.
  runtime::Peer peer = ask("/a?page=7", "Content-Length: 0\r\n", "DELETE");
  serve(answer("", ""));
  peer.take_rest();
  fetched("/a?page=1", answer("", "new"), "X-Tenant: t\r\nCookie: lang=en\r\n");
}

TEST_F(ResponseCacheTest, some_requests_pass_by) {
  route.cache->ttl = 60s;
  route.cache->bypass = {.headers = {"x-preview"}, .cookies = {"session"}};
  fetched("/a", answer(""));
  EXPECT_THAT(fetched("/a", answer(""), "X-Preview: 1\r\n"),
              HasSubstr("cache-status: spillway; fwd=bypass\r\n"));
  EXPECT_THAT(fetched("/a", answer(""), "Cookie: session=1\r\n"), HasSubstr("fwd=bypass"));
  EXPECT_THAT(fetched("/a", answer(""), "If-Match: \"1\"\r\n"), HasSubstr("fwd=bypass"));
  EXPECT_THAT(cached("/a"), HasSubstr("; hit; "));
}

TEST_F(ResponseCacheTest, clients_say_what_they_take) {
  fetched("/a", answer("Cache-Control: max-age=60\r\n"));
  EXPECT_THAT(
      fetched("/a", answer("Cache-Control: max-age=60\r\n", "new"), "Cache-Control: no-cache\r\n"),
      HasSubstr("fwd=request; stored"));
  EXPECT_THAT(cached("/a"), EndsWith("new"));
  EXPECT_THAT(cached("/b", "Cache-Control: only-if-cached\r\n"), StartsWith("HTTP/1.1 504"));
}

TEST_F(ResponseCacheTest, clients_that_are_not_heeded_cannot_ask_past_it) {
  route.cache->heed_requests = false;
  fetched("/a", answer("Cache-Control: max-age=60\r\n"));
  EXPECT_THAT(cached("/a", "Cache-Control: no-cache\r\n"), HasSubstr("; hit; "));
}

TEST_F(ResponseCacheTest, what_is_one_clients_own_is_not_given_to_others) {
  const std::string own = "Cache-Control: max-age=60, private=\"x-user\"\r\nX-User: ben\r\n";
  EXPECT_THAT(fetched("/a", answer(own)), HasSubstr("X-User: ben\r\n"));
  EXPECT_THAT(cached("/a"), Not(HasSubstr("X-User")));
  fetched("/b", answer("Cache-Control: max-age=60\r\nSet-Cookie: a=1\r\n"));
  EXPECT_THAT(fetched("/b", answer("")), Not(HasSubstr("; hit")));
}

TEST_F(ResponseCacheTest, what_is_too_large_is_passed_on_and_not_kept) {
  cache_config.object = ByteSize{1024};
  const std::string large(5000, 'x');
  const std::string passed = fetched("/a", answer("Cache-Control: max-age=60\r\n", large));
  EXPECT_THAT(passed, EndsWith(large));
  EXPECT_THAT(passed, HasSubstr("detail=too-large\r\n"));
  runtime::Peer peer = ask("/b");
  serve(
      "HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\n"
      "Transfer-Encoding: chunked\r\n\r\n1388\r\n" +
      large + "\r\n0\r\n\r\n");
  EXPECT_THAT(peer.take_rest(), HasSubstr(large.substr(0, 1000)));
  EXPECT_EQ(cache.memory.usage().entries, 0U);
}

TEST_F(ResponseCacheTest, what_only_the_end_of_its_connection_ends_is_not_kept) {
  runtime::Peer peer = ask("/a");
  serve("HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\n\r\nall?");
  services.back().close();
  const std::string text = peer.take_rest();
  EXPECT_THAT(text, HasSubstr("detail=no-end\r\n"));
  EXPECT_THAT(text, HasSubstr("all?"));
  EXPECT_EQ(cache.memory.usage().entries, 0U);
}

TEST_F(ResponseCacheTest, negative_answers_have_a_time_of_their_own) {
  route.cache->ttl = 60s;
  route.cache->negative_ttl = 30s;
  fetched("/a", answer("", "none", "404 Not Found"));
  EXPECT_THAT(cached("/a"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(fetched("/b", answer("", "x", "500 Internal Server Error")),
              HasSubstr("detail=not-cacheable"));
}

TEST_F(ResponseCacheTest, each_user_may_have_a_cache_of_their_own) {
  route.cache->ttl = 60s;
  route.cache->key.user = true;
  // Nobody has signed in: there is no cache for nobody.
  EXPECT_THAT(fetched("/a", answer("")), HasSubstr("fwd=bypass"));
}

TEST_F(ResponseCacheTest, a_service_without_endpoints_is_covered_or_says_so) {
  route.cache->stale_if_error = 1h;
  fetched("/a", answer("Cache-Control: max-age=0\r\nETag: \"1\"\r\n", "good"));
  service->with([&](ServiceState& state) { state.cluster.set_endpoints({}, loop.now()); });
  runtime::Peer covered = ask("/a");
  EXPECT_THAT(covered.take_rest(), EndsWith("good"));
  runtime::Peer refused = ask("/b");
  EXPECT_THAT(refused.take_rest(), StartsWith("HTTP/1.1 503"));
}

TEST_F(ResponseCacheTest, a_fetch_that_takes_too_long_is_cut_when_we_close) {
  runtime::Peer peer = connect();
  peer.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  turn();
  runtime::Peer service_side = origin.accept();
  service_side.take_head();
  peer.close();
  struct Close {
    static runtime::Task<void> run(Gateway& gateway, Deadline deadline, Result<void>& result) {
      result = co_await gateway.close(deadline);
    }
  };
  Result<void> closed;
  run(Close::run(*gateway, soon(10ms), closed));
  EXPECT_FALSE(closed);
}

}  // namespace
}  // namespace spillway::gateway
