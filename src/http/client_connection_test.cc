// http/client_connection_test.cc: answers of upstreams, whole, split, cut and late.
#include "http/client_connection.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "runtime/loop_testing.h"

namespace spillway::http {
namespace {

using runtime::Task;

// What came of one call.
struct Outcome {
  std::optional<Error> error;
  std::vector<uint16_t> interim;
  uint16_t status = 0;
  std::string body;
  std::string trailers;
  bool is_reusable = false;
  std::optional<Duration> keepalive;
};

Task<Result<void>> converse(ClientCall& call, Method method, Deadline deadline, Outcome& outcome) {
  CO_TRY_VOID(call.writer().begin({}, [&](HeadWriter& head) {
    head.request_line(to_string(method), "/", {}, false);
    head.field("host", "a");
    head.end_of_head();
  }));
  auto sent = co_await call.writer().finish();
  if (!sent) co_return fail(call.blamed(sent.error()));
  while (true) {
    CO_TRY_VOID(co_await call.read_head(method, deadline));
    if (!call.response().is_interim()) break;
    outcome.interim.push_back(call.response().status);
  }
  outcome.status = call.response().status;
  while (!call.body_ended()) {
    CO_TRY(piece, co_await call.read_body(deadline));
    outcome.body += piece;
  }
  if (call.trailers() != nullptr) outcome.trailers = (*call.trailers())[0].value;
  outcome.is_reusable = call.is_reusable();
  co_return Result<void>{};
}

class ClientConnectionTest : public runtime::PeerTest {
 protected:
  ClientConnectionTest() {
    auto pair = runtime::connected_pair(loop);
    connection.socket = std::move(pair.socket);
    upstream.emplace(std::move(pair.peer));
  }

  Task<void> call_once(Method method, Deadline deadline) {
    ResponseHead head;
    ClientCall call(std::move(connection), head, limits, 5s);
    outcome = {};
    auto done = co_await converse(call, method, deadline, outcome);
    if (!done) outcome.error = done.error();
    connection = call.take_connection();
    outcome.keepalive = connection.keepalive;
  }
  // What a GET makes of this answer; `then_closes` if the upstream closes behind it.
  Outcome& get(std::string_view answer, bool then_closes = false, Method method = Method::get) {
    start(call_once(method, soon()));
    upstream->take_head();
    upstream->send(answer);
    if (then_closes) upstream->end();
    finish();
    return outcome;
  }

  HeadLimits limits;
  ClientConnection connection;
  std::optional<runtime::Peer> upstream;
  Outcome outcome;
};

TEST_F(ClientConnectionTest, carries_one_request_after_the_other) {
  for (int i = 0; i < 3; ++i) {
    const Outcome& got = get("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(got.body, "hello");
    EXPECT_TRUE(got.is_reusable);
  }
  EXPECT_EQ(connection.requests, 3u);
  EXPECT_EQ(loop.buffers().bytes_lent(), 0u) << "an idle connection holds a buffer";
}

TEST_F(ClientConnectionTest, reads_the_same_answer_however_it_is_split) {
  const std::string answer =
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";
  for (size_t cut = 1; cut < answer.size(); ++cut) {
    start(call_once(Method::get, soon()));
    upstream->take_head();
    upstream->send(answer.substr(0, cut));
    turn(3);
    upstream->send(answer.substr(cut));
    finish();
    ASSERT_FALSE(outcome.error) << cut << outcome.error->detail;
    ASSERT_EQ(outcome.interim, std::vector<uint16_t>{103}) << cut;
    ASSERT_EQ(outcome.body, "hello world") << cut;
    ASSERT_EQ(outcome.trailers, "11") << cut;
    ASSERT_TRUE(outcome.is_reusable) << cut;
  }
}

TEST_F(ClientConnectionTest, reads_an_answer_that_comes_byte_by_byte) {
  start(call_once(Method::get, soon()));
  upstream->take_head();
  upstream->trickle("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  finish();
  EXPECT_EQ(outcome.body, "abc");
  EXPECT_TRUE(outcome.is_reusable);
}

TEST_F(ClientConnectionTest, reads_until_the_end_where_no_length_is_given) {
  const Outcome& got = get("HTTP/1.0 200 OK\r\n\r\nall of this", true);
  EXPECT_FALSE(got.error);
  EXPECT_EQ(got.body, "all of this");
  EXPECT_FALSE(got.is_reusable);
}

TEST_F(ClientConnectionTest, reads_a_body_longer_than_any_buffer) {
  const std::string body(1'000'000, 'x');
  start(call_once(Method::get, soon()));
  upstream->take_head();
  upstream->send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
  upstream->send(body);
  finish();
  EXPECT_EQ(outcome.body, body);
  EXPECT_TRUE(outcome.is_reusable);
}

TEST_F(ClientConnectionTest, an_answer_to_head_has_no_body) {
  const Outcome& got = get("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", false, Method::head);
  EXPECT_FALSE(got.error);
  EXPECT_EQ(got.body, "");
  EXPECT_TRUE(got.is_reusable);
}

TEST_F(ClientConnectionTest, bytes_behind_the_answer_make_it_unusable) {
  EXPECT_FALSE(
      get("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n").is_reusable);
}

TEST_F(ClientConnectionTest, bytes_behind_a_chunked_answer_make_it_unusable) {
  EXPECT_FALSE(get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n")
                   .is_reusable);
}

TEST_F(ClientConnectionTest, a_body_where_none_may_be_makes_it_unusable) {
  EXPECT_FALSE(get("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello").is_reusable);
}

TEST_F(ClientConnectionTest, an_upstream_that_closes_makes_it_unusable) {
  EXPECT_FALSE(
      get("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok").is_reusable);
}

TEST_F(ClientConnectionTest, a_first_use_that_is_closed_may_have_acted) {
  const Outcome& got = get("", true);
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->code, Error::Code::connection_closed);
  EXPECT_EQ(got.error->blame, Error::Blame::upstream);
  EXPECT_EQ(got.error->retry, Error::Retry::never);
}

TEST_F(ClientConnectionTest, a_reused_connection_that_is_closed_says_so) {
  get("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const Outcome& got = get("", true);
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->code, Error::Code::connection_closed);
  EXPECT_EQ(got.error->retry, Error::Retry::if_reused);
}

TEST_F(ClientConnectionTest, a_reused_connection_that_had_begun_to_answer_does_not) {
  get("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const Outcome& got = get("HTTP/1.1 2", true);
  ASSERT_TRUE(got.error);
  EXPECT_EQ(got.error->retry, Error::Retry::never);
}

TEST_F(ClientConnectionTest, a_body_that_is_cut_off_is_an_error) {
  for (const char* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"}) {
    auto pair = runtime::connected_pair(loop);
    connection = {.socket = std::move(pair.socket)};
    upstream.emplace(std::move(pair.peer));
    const Outcome& got = get(answer, true);
    ASSERT_TRUE(got.error) << answer;
    EXPECT_EQ(got.error->code, Error::Code::connection_closed) << answer;
    EXPECT_EQ(got.error->blame, Error::Blame::upstream) << answer;
  }
}

TEST_F(ClientConnectionTest, a_malformed_answer_is_the_upstreams_fault) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\nX: a\n\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n"}) {
    auto pair = runtime::connected_pair(loop);
    connection = {.socket = std::move(pair.socket)};
    upstream.emplace(std::move(pair.peer));
    const Outcome& got = get(answer);
    ASSERT_TRUE(got.error) << answer;
    EXPECT_EQ(got.error->code, Error::Code::protocol) << answer;
    EXPECT_EQ(got.error->blame, Error::Blame::upstream) << answer;
  }
}

TEST_F(ClientConnectionTest, silence_ends_at_the_deadline) {
  start(call_once(Method::get, soon(30ms)));
  upstream->take_head();
  finish();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code, Error::Code::deadline_exceeded);
  EXPECT_EQ(outcome.error->blame, Error::Blame::upstream);
}

TEST_F(ClientConnectionTest, hears_how_long_the_upstream_waits_for_more) {
  EXPECT_EQ(get("HTTP/1.1 200 OK\r\nKeep-Alive: max=100, Timeout = 5\r\nContent-Length: 0\r\n\r\n")
                .keepalive,
            5s);
  EXPECT_EQ(get("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=x\r\nContent-Length: 0\r\n\r\n").keepalive,
            std::nullopt);
}

}  // namespace
}  // namespace spillway::http
