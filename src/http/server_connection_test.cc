// http/server_connection_test.cc: clients, good, slow and hostile, against a scripted handler.
#include "http/server_connection.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "http/handler_testing.h"
#include "runtime/event.h"
#include "runtime/loop_testing.h"

namespace spillway::http {
namespace {

using runtime::Task;

// A body that would be a request if its connection got out of step.
const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::string length_field(std::string_view body) {
  return "content-length: " + std::to_string(body.size()) + "\r\n";
}

class ServerConnectionTest : public runtime::PeerTest {
 public:
  ~ServerConnectionTest() override {
    for (auto& connection : connections) connection->cut();
    handler.go_on.set();
    finish();
  }

 protected:
  // A client, connected.
  runtime::Peer connect() {
    auto pair = runtime::connected_pair(loop);
    connections.push_back(std::make_unique<ServerConnection>(std::move(pair.socket), client_info,
                                                             context, limits, handler));
    start(connections.back()->run());
    return std::move(pair.peer);
  }
  // All that comes back for bytes after which we send no more.
  std::string answer_to(std::string_view bytes) {
    runtime::Peer client = connect();
    client.send(bytes);
    client.end();
    return client.take_rest();
  }
  std::string status_line_of(std::string_view bytes) {
    const std::string answer = answer_to(bytes);
    return answer.substr(0, answer.find("\r\n"));
  }

  telemetry::Registry registry{1};
  ServerContext context{loop, registry};
  ClientInfo client_info;
  ServerLimits limits;
  ScriptedHandler handler{loop};
  std::vector<std::unique_ptr<ServerConnection>> connections;
};

TEST_F(ServerConnectionTest, keeps_the_connection_for_the_next_request) {
  runtime::Peer client = connect();
  for (int i = 0; i < 3; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string head = client.take_head();
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_FALSE(head.contains("connection:")) << head;
    EXPECT_TRUE(head.contains("date: ")) << head;
    EXPECT_EQ(client.take_bytes(6), "hello\n");
  }
  EXPECT_EQ(loop.buffers().bytes_lent(), 0u) << "an idle connection holds a buffer";
}

TEST_F(ServerConnectionTest, closes_when_the_client_wants_it) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.take_rest().contains("connection: close\r\n"));
}

TEST_F(ServerConnectionTest, answers_pipelined_requests_in_order) {
  std::string requests;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const std::string body = "body " + std::to_string(i);
    requests += "POST /echo HTTP/1.1\r\nHost: a\r\n" + length_field(body) + "\r\n" + body;
    expected += body;
  }
  runtime::Peer client = connect();
  client.send(requests);
  std::string bodies;
  for (int i = 0; i < 100; ++i) {
    client.take_head();
    bodies += client.take_bytes(("body " + std::to_string(i)).size());
  }
  EXPECT_EQ(bodies, expected);
}

TEST_F(ServerConnectionTest, understands_requests_that_come_byte_by_byte) {
  runtime::Peer client = connect();
  const std::string text =
      "\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
  client.trickle(text);
  client.take_head();
  EXPECT_EQ(client.take_bytes(11), "hello world");
  client.take_head();
  EXPECT_EQ(client.take_bytes(3), "abc");
}

TEST_F(ServerConnectionTest, reads_the_same_request_however_it_is_split) {
  const std::string text =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n";
  runtime::Peer client = connect();
  for (size_t cut = 1; cut < text.size(); ++cut) {
    client.send(text.substr(0, cut));
    turn(3);
    client.send(text.substr(cut));
    client.take_head();
    ASSERT_EQ(client.take_bytes(11), "hello world") << cut;
    ASSERT_EQ(handler.trailers, "X-Sum=11;") << cut;
  }
}

TEST_F(ServerConnectionTest, reads_a_body_on_get_and_stays_in_step) {
  answer_to("GET / HTTP/1.1\r\nHost: a\r\n" + length_field(smuggled) + "\r\n" + smuggled +
            "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(handler.seen, (std::vector<std::string>{"GET /", "GET /next"}));
}

TEST_F(ServerConnectionTest, answers_head_with_the_length_and_without_the_body) {
  runtime::Peer client = connect();
  client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /unknown-length HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.take_head().contains("content-length: 6\r\n"));
  EXPECT_TRUE(client.take_head().contains("transfer-encoding: chunked\r\n"));
  EXPECT_TRUE(client.stays_silent()) << client.received();
}

TEST_F(ServerConnectionTest, sends_no_body_with_204_and_304) {
  runtime::Peer client = connect();
  for (const char* status : {"204", "304"}) {
    client.send(std::string("GET /status/") + status + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string head = client.take_head();
    EXPECT_TRUE(head.starts_with(std::string("HTTP/1.1 ") + status)) << head;
    EXPECT_FALSE(head.contains("content-length")) << head;
    EXPECT_FALSE(head.contains("transfer-encoding")) << head;
  }
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.take_head().starts_with("HTTP/1.1 200"));
}

TEST_F(ServerConnectionTest, keeps_an_old_clients_connection_only_if_asked) {
  const std::string answer = answer_to("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(answer.contains("connection: close\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("hello\n")) << answer;

  runtime::Peer client = connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(client.take_head().contains("connection: keep-alive\r\n"));
  client.take_bytes(6);
  client.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(client.take_rest().contains("connection: close\r\n"));
}

TEST_F(ServerConnectionTest, ends_an_answer_of_unknown_length_as_the_client_understands) {
  const std::string old =
      answer_to("GET /unknown-length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(old.ends_with("\r\n\r\none two ")) << old;
  EXPECT_FALSE(old.contains("transfer-encoding")) << old;
  EXPECT_TRUE(old.contains("connection: close")) << old;

  runtime::Peer client = connect();
  client.send("GET /unknown-length HTTP/1.1\r\nHost: a\r\n\r\n");
  client.take_head();
  EXPECT_EQ(client.take_through("0\r\n\r\n"), "4\r\none \r\n4\r\ntwo \r\n0\r\n\r\n");
}

TEST_F(ServerConnectionTest, asks_for_the_body_when_the_client_waits_to_be_asked) {
  runtime::Peer client = connect();
  client.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.take_head(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_TRUE(client.take_head().starts_with("HTTP/1.1 200"));
  EXPECT_EQ(client.take_bytes(2), "ok");
  EXPECT_TRUE(client.stays_silent());
}

TEST_F(ServerConnectionTest, does_not_ask_for_a_body_that_nobody_reads) {
  runtime::Peer client = connect();
  client.send(
      "POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  const std::string answer = client.take_through("no\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403")) << answer;
  EXPECT_TRUE(answer.contains("connection: close")) << "the client may or may not send the body";
  EXPECT_TRUE(client.sees_end());
}

TEST_F(ServerConnectionTest, does_not_ask_an_old_client_for_its_body) {
  const std::string answer =
      answer_to("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
}

TEST_F(ServerConnectionTest, stays_in_step_after_an_early_answer) {
  runtime::Peer client = connect();
  client.send("POST /early HTTP/1.1\r\nHost: a\r\n" + length_field(smuggled) + "\r\n");
  EXPECT_TRUE(client.take_through("no\n").starts_with("HTTP/1.1 403"));
  client.send(smuggled);
  EXPECT_TRUE(client.stays_silent());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(client.take_through("hello\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(handler.seen, (std::vector<std::string>{"POST /early", "GET /"}));
}

TEST_F(ServerConnectionTest, closes_after_an_early_answer_to_a_long_upload) {
  runtime::Peer client = connect();
  client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
  EXPECT_TRUE(client.take_through("no\n").starts_with("HTTP/1.1 403"));
  client.send(std::string(1 << 20, 'x'));
  EXPECT_TRUE(client.sees_end());
  EXPECT_FALSE(client.was_reset()) << "the answer could have been lost";
}

TEST_F(ServerConnectionTest, a_slow_head_is_told_408_at_the_limit) {
  limits.head_timeout = 100ms;
  runtime::Peer client = connect();
  const Instant began = loop.now();
  client.send("GET / HTTP/1.1\r\n");
  while (!client.sees("HTTP/1.1") && loop.now() < began + 5s) client.send("X");
  EXPECT_TRUE(client.received().starts_with("HTTP/1.1 408")) << client.received();
  EXPECT_TRUE(client.received().contains("connection: close"));
  EXPECT_GE(loop.now() - began, 100ms);
  EXPECT_TRUE(handler.seen.empty());
}

TEST_F(ServerConnectionTest, a_head_that_trickles_is_ended_at_the_limit_all_the_same) {
  limits.head_timeout = 100ms;
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  Instant last = loop.now();
  EXPECT_TRUE(runtime::turn_until(loop, [&] {
    if (!client.has_ended() && loop.now() - last >= 1ms) {  // Faster, it would be a 431 in the end.
      last = loop.now();
      ::send(client.fd(), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    return client.received().starts_with("HTTP/1.1 408");
  }));
}

TEST_F(ServerConnectionTest, a_stalled_body_ends_at_its_limit) {
  limits.body_timeout = 50ms;
  runtime::Peer client = connect();
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(client.take_head().starts_with("HTTP/1.1 400"));
  ASSERT_TRUE(handler.body_error.has_value());
  EXPECT_EQ(handler.body_error->code, Error::Code::deadline_exceeded);
  EXPECT_EQ(handler.body_error->blame, Error::Blame::client);
}

TEST_F(ServerConnectionTest, closes_an_idle_connection_without_a_word) {
  limits.idle_timeout = 50ms;
  runtime::Peer client = connect();
  const Instant began = loop.now();
  EXPECT_EQ(client.take_rest(), "");
  EXPECT_GE(loop.now() - began, 50ms);
}

TEST_F(ServerConnectionTest, names_the_limit_that_a_request_broke) {
  limits.head = {.head_bytes_max = 2048, .url_bytes_max = 256, .fields_max = 10};
  limits.body_bytes_max = 100;
  const std::string many(3000, 'x');
  EXPECT_EQ(status_line_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + many),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(status_line_of("GET /" + many), "HTTP/1.1 414 URI Too Long");
  std::string fields;
  for (int i = 0; i < 11; ++i) fields += "X-" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(status_line_of("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"),
            "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(status_line_of("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n"),
            "HTTP/1.1 413 Content Too Large");
  EXPECT_TRUE(handler.seen.empty()) << "a body that is announced too long reached the handler";
}

TEST_F(ServerConnectionTest, a_chunked_body_ends_at_the_limit_too) {
  limits.body_bytes_max = 100;
  (void)answer_to("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                  std::string(101, 'x') + "\r\n0\r\n\r\n");
  ASSERT_TRUE(handler.body_error.has_value());
  EXPECT_EQ(handler.body_error->code, Error::Code::limit_exceeded);
  EXPECT_EQ(handler.body_error->blame, Error::Blame::client);
}

TEST_F(ServerConnectionTest, a_head_larger_than_a_small_buffer_is_read) {
  limits.head.head_bytes_max = 64 << 10;
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(client.take_through("hello\n").starts_with("HTTP/1.1 200"));
}

TEST_F(ServerConnectionTest, refuses_what_could_be_read_in_two_ways_and_closes) {
  for (const std::string& head : {
           std::string("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
           std::string("Content-Length: 5\r\nContent-Length: 6\r\n"),
           std::string("Content-Length: 5, 6\r\n"),
           std::string("Content-Length: +5\r\n"),
           std::string("Transfer-Encoding: chunked, identity\r\n"),
           std::string("Transfer-Encoding : chunked\r\n"),
           std::string("Transfer-Encoding:\vchunked\r\n"),
           std::string("Transfer-Encoding: gzip\r\n"),
           std::string("X: a\n\r\n"),
           std::string("X: a\r\n folded\r\n"),
           std::string("X: a\rb\r\n"),
           std::string("X: a\0b\r\n", 8),
           std::string("Host: b\r\n"),
           std::string(" X: a\r\n"),
       }) {
    const std::string answer =
        answer_to("POST / HTTP/1.1\r\nHost: a\r\n" + head + "\r\n" + smuggled);
    const bool is_refused =
        answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 501");
    EXPECT_TRUE(is_refused) << head << answer;
    EXPECT_TRUE(answer.contains("connection: close")) << head << answer;
    EXPECT_EQ(answer.find("HTTP/1.1", 1), std::string::npos) << "answered twice: " << answer;
  }
  EXPECT_TRUE(handler.seen.empty()) << handler.seen.front();
}

TEST_F(ServerConnectionTest, a_malformed_body_never_becomes_the_next_request) {
  for (const char* body : {"5 \r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n",
                           "fffffffffffffffff\r\n", "5;x\n\r\nhello\r\n0\r\n\r\n", "-5\r\n"}) {
    handler.seen.clear();
    const std::string answer = answer_to(
        std::string("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n") + body +
        "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << body << answer;
    EXPECT_EQ(handler.seen.size(), 1u) << body;
  }
}

TEST_F(ServerConnectionTest, carries_the_bytes_behind_an_upgrade_through_the_tunnel) {
  runtime::Peer client = connect();
  client.send(
      "GET /upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nfirst bytes");
  EXPECT_TRUE(client.take_head().starts_with("HTTP/1.1 101 "));
  ASSERT_TRUE(handler.upgraded.has_value());
  EXPECT_EQ(handler.upgraded->take_bytes(11), "first bytes");
  handler.upgraded->send("answer");
  handler.upgraded->end();
  EXPECT_EQ(client.take_bytes(6), "answer");
  client.end();
  EXPECT_EQ(client.take_rest(), "");
}

TEST_F(ServerConnectionTest, a_drain_closes_idle_connections) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.take_through("hello\n");
  connections.back()->drain();
  EXPECT_EQ(client.take_rest(), "");
}

TEST_F(ServerConnectionTest, a_drain_marks_the_answer_under_way_as_the_last) {
  runtime::Peer client = connect();
  client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(runtime::turn_until(loop, [&] { return handler.is_waiting; }));
  connections.back()->drain();
  EXPECT_TRUE(client.stays_silent());
  handler.go_on.set();
  const std::string answer = client.take_rest();
  EXPECT_TRUE(answer.contains("connection: close\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("late\n")) << answer;
}

TEST_F(ServerConnectionTest, a_drain_still_takes_the_request_that_was_on_its_way) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.take_through("hello\n");
  connections.back()->drain();
  turn();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = client.take_rest();
  EXPECT_TRUE(answer.contains("connection: close\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("hello\n")) << answer;
}

TEST_F(ServerConnectionTest, a_drain_waits_for_clients_that_were_silent_for_long_too) {
  runtime::Peer client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.take_through("hello\n");
  const Instant began = loop.now();
  ASSERT_TRUE(runtime::turn_until(loop, [&] { return loop.now() > began + 300ms; }));
  connections.back()->drain();
  turn();
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string answer = client.take_rest();
  EXPECT_TRUE(answer.ends_with("hello\n")) << answer;
}

TEST_F(ServerConnectionTest, a_cut_ends_at_once_whatever_goes_on) {
  runtime::Peer idle = connect();
  runtime::Peer in_head = connect();
  in_head.send("GET / HT");
  runtime::Peer in_body = connect();
  in_body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  turn();
  const Instant began = loop.now();
  for (auto& connection : connections) connection->cut();
  EXPECT_TRUE(idle.sees_end());
  EXPECT_TRUE(in_head.sees_end());
  EXPECT_TRUE(in_body.sees_end());
  finish();
  EXPECT_LT(loop.now() - began, 1s);
}

TEST_F(ServerConnectionTest, a_handler_without_an_answer_means_500) {
  const std::string answer = answer_to("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_TRUE(answer.contains("connection: close")) << answer;
}

TEST_F(ServerConnectionTest, an_answer_that_stops_in_mid_body_never_looks_complete) {
  runtime::Peer length = connect();
  length.send("GET /cut/length HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_LT(length.take_rest().size(), 300u);

  runtime::Peer chunked = connect();
  chunked.send("GET /cut/chunked HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(chunked.take_rest().contains("\r\n0\r\n"));

  runtime::Peer until_close = connect();
  until_close.send("GET /cut/until-close HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(until_close.sees_end());
  EXPECT_TRUE(until_close.was_reset()) << "a clean close would be a clean end";
}

TEST_F(ServerConnectionTest, a_client_that_never_pauses_leaves_turns_to_the_others) {
  limits.pipelined = 4;
  runtime::Peer greedy = connect();
  std::string many;
  for (int i = 0; i < 200; ++i) many += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  greedy.send(many);
  turn(2);
  const size_t before = handler.seen.size();
  turn(1);
  EXPECT_LE(handler.seen.size() - before, 4u);
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return handler.seen.size() == 200; }));
}

TEST_F(ServerConnectionTest, reads_what_came_before_it_was_made) {
  auto pair = runtime::connected_pair(loop);
  ServerConnection connection(std::move(pair.socket), client_info, context, limits, handler);
  runtime::Buffer before = loop.buffers().borrow(runtime::BufferSize::small);
  const std::string_view head = "GET / HTTP/1.1\r\nHo";
  std::copy(head.begin(), head.end(), before.space().begin());
  before.add(head.size());
  start(connection.run(std::move(before)));
  pair.peer.send("st: a\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(pair.peer.take_rest().ends_with("hello\n"));
  finish();
}

}  // namespace
}  // namespace spillway::http
