// redis/connection_test.cc: matching answers to questions, also where they come late or wrong.
#include "redis/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "redis/command.h"
#include "runtime/loop_testing.h"

namespace spillway::redis {
namespace {

using runtime::Peer;
using runtime::Task;
using testing::ElementsAre;
using testing::HasSubstr;

class RedisConnection : public runtime::PeerTest {
 protected:
  void open(const ConnectionLimits& limits = {}) {
    auto pair = runtime::connected_pair(loop);
    peer = std::make_unique<Peer>(std::move(pair.peer));
    connection = std::make_unique<Connection>(std::move(pair.socket), limits);
    start(keep());
  }
  void TearDown() override {
    if (connection == nullptr) return;
    connection->close(Error::Code::cancelled, "the test is over");
    finish();
  }
  Task<void> keep() { ended = (co_await connection->run()).detail; }
  Task<void> ask(std::string key, Duration patience = runtime::test_patience,
                 runtime::Interruption* interruption = nullptr, uint32_t ignored = 0) {
    std::string commands;
    for (uint32_t i = 0; i < ignored; ++i) commands += command({"ASKING"});
    commands += command({"GET", key});
    auto reply = co_await connection->call(commands, soon(patience), interruption, ignored);
    outcomes.push_back(key + ": " +
                       (reply ? reply->text : std::string(to_string(reply.error().code))));
  }
  // Turns the loop until so many have an outcome.
  void wait_for(size_t count) {
    EXPECT_TRUE(runtime::turn_until(loop, [&] { return outcomes.size() >= count; }));
  }

  std::unique_ptr<Peer> peer;
  std::unique_ptr<Connection> connection;
  std::vector<std::string> outcomes;
  std::string ended;
};

TEST_F(RedisConnection, matches_answers_in_the_order_of_the_questions) {
  open();
  for (const auto* key : {"a", "b", "c"}) start(ask(key));
  peer->take_through(command({"GET", "c"}));
  peer->trickle("+1\r\n+2\r\n");
  peer->send("+3\r\n");
  wait_for(3);
  EXPECT_THAT(outcomes, ElementsAre("a: 1", "b: 2", "c: 3"));
}

TEST_F(RedisConnection, drops_a_late_answer_and_nobody_gets_it) {
  open();
  start(ask("late", 5ms));
  wait_for(1);
  start(ask("next"));
  peer->take_through(command({"GET", "next"}));
  peer->send("+of late\r\n+of next\r\n");
  wait_for(2);
  EXPECT_THAT(outcomes, ElementsAre("late: deadline_exceeded", "next: of next"));
  EXPECT_EQ(connection->late_answers(), 1);
}

TEST_F(RedisConnection, ends_when_too_many_answers_are_late) {
  open({.late_max = 3});
  start(ask("patient"));
  for (int i = 0; i < 3; ++i) start(ask("late", 5ms));
  wait_for(4);
  EXPECT_EQ(outcomes.back(), "patient: connection_closed");
  EXPECT_THAT(ended, HasSubstr("in time"));
}

TEST_F(RedisConnection, ends_when_it_has_stalled) {
  open({.stall = 20ms});
  start(ask("first", 5ms));
  wait_for(1);
  EXPECT_FALSE(connection->has_ended());
  start(ask("second", 40ms));
  wait_for(2);
  EXPECT_TRUE(connection->has_ended());
}

TEST_F(RedisConnection, refuses_more_than_may_be_on_their_way) {
  open({.in_flight_max = 2});
  for (const auto* key : {"a", "b", "c"}) start(ask(key));
  EXPECT_THAT(outcomes, ElementsAre("c: overloaded"));
  peer->take_through(command({"GET", "b"}));
  peer->send("+1\r\n+2\r\n");
  wait_for(3);
  start(ask("d"));
  EXPECT_EQ(outcomes.size(), 3);
}

TEST_F(RedisConnection, is_interrupted_and_stays_in_step) {
  open();
  runtime::Interruption gone;
  start(ask("gone", runtime::test_patience, &gone));
  start(ask("stays"));
  gone.interrupt();
  wait_for(1);
  start(ask("refused", runtime::test_patience, &gone));
  peer->take_through(command({"GET", "stays"}));
  peer->send("+1\r\n+2\r\n");
  wait_for(3);
  EXPECT_THAT(outcomes, ElementsAre("gone: cancelled", "refused: cancelled", "stays: 2"));
}

TEST_F(RedisConnection, drops_the_answers_to_what_goes_before_a_command) {
  open();
  start(ask("a", runtime::test_patience, nullptr, 1));
  start(ask("b"));
  peer->take_through(command({"GET", "b"}));
  peer->send("+OK\r\n+1\r\n+2\r\n");
  wait_for(2);
  EXPECT_THAT(outcomes, ElementsAre("a: 1", "b: 2"));
}

TEST_F(RedisConnection, hands_errors_on_and_passes_over_pushes) {
  open();
  start(ask("a"));
  peer->take_through(command({"GET", "a"}));
  peer->send(">1\r\n+invalidate\r\n-WRONGTYPE no\r\n");
  wait_for(1);
  EXPECT_THAT(outcomes, ElementsAre("a: WRONGTYPE no"));
}

TEST_F(RedisConnection, ends_on_what_nobody_asked_for) {
  open();
  peer->send("+hello\r\n");
  finish();
  EXPECT_THAT(ended, HasSubstr("nobody asked"));
}

TEST_F(RedisConnection, ends_on_what_is_no_reply_and_everybody_hears_of_it) {
  open();
  start(ask("a"));
  start(ask("b"));
  peer->take_through(command({"GET", "b"}));
  peer->send("+1\r\nHTTP/1.1 400\r\n");
  finish();
  EXPECT_THAT(outcomes, ElementsAre("a: 1", "b: connection_closed"));
  EXPECT_THAT(ended, HasSubstr("unknown byte"));
  run(ask("c"));
  EXPECT_EQ(outcomes.back(), "c: connection_closed");
}

TEST_F(RedisConnection, ends_with_its_peer) {
  open();
  start(ask("a"));
  peer->take_through(command({"GET", "a"}));
  *peer = Peer(loop, -1);
  finish();
  EXPECT_THAT(outcomes, ElementsAre("a: connection_closed"));
}

TEST_F(RedisConnection, sends_what_one_turn_asks_for_together) {
  open();
  for (int i = 0; i < 100; ++i) start(ask("k"));
  turn(2);
  std::string all;
  for (int i = 0; i < 100; ++i) all += command({"GET", "k"});
  EXPECT_EQ(peer->received(), all);
}

TEST_F(RedisConnection, has_no_time_for_what_is_late_already) {
  open();
  start(ask("a", 0ms));
  EXPECT_THAT(outcomes, ElementsAre("a: deadline_exceeded"));
  EXPECT_EQ(connection->in_flight(), 0);
}

}  // namespace
}  // namespace spillway::redis
