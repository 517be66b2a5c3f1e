// redis/client_test.cc: one node and a cluster, real ones, and what comes when they go away.
#include "redis/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "redis/command.h"
#include "redis/script.h"
#include "redis/server_testing.h"
#include "runtime/loop_testing.h"

namespace spillway::redis {
namespace {

using runtime::Task;
using testing::HasSubstr;
using testing::Not;

std::string url(uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); }

class ClientTest : public runtime::PeerTest {
 protected:
  void connect(const RedisConfig& config) {
    client = std::make_unique<Client>(loop, resolver, config, [this] { ++changes; });
  }
  void connect(std::string_view at) { connect(*RedisConfig::parse(at)); }
  void TearDown() override { disconnect(); }
  void disconnect() {
    if (client == nullptr) return;
    run(close());
    client.reset();
  }
  Task<void> close() { EXPECT_TRUE((co_await client->close(soon())).has_value()); }

  // What one command comes to: the text or number answered, or the error's code.
  std::string ask(std::string_view key, std::initializer_list<std::string_view> words,
                  Duration patience = runtime::test_patience) {
    run(ask_for(key, command(words), patience));
    return outcome;
  }
  Task<void> ask_for(std::string_view key, std::string text, Duration patience) {
    auto reply = co_await client->call(key, text, soon(patience));
    failure = reply ? "" : reply.error().detail;
    outcome = !reply                                ? std::string(to_string(reply.error().code))
              : reply->kind == Reply::Kind::integer ? std::to_string(reply->integer)
                                                    : reply->text;
  }
  Task<void> run_script(const Script& script, std::vector<std::string> keys) {
    const std::vector<std::string> arguments = {"7"};
    auto reply = co_await script.run(*client, keys, arguments, soon());
    outcome = reply ? reply->text : reply.error().detail;
  }
  bool becomes_reachable() {
    return runtime::turn_until(loop, [&] { return client->is_reachable(); });
  }
  bool becomes_unreachable() {
    return runtime::turn_until(loop, [&] { return !client->is_reachable(); });
  }

  runtime::BlockingPool pool;
  runtime::Resolver resolver{pool};
  std::unique_ptr<Client> client;
  std::string outcome;
  std::string failure;
  int changes = 0;
};

class RedisClient : public ClientTest {
 protected:
  void SetUp() override {
    if (!has_redis_server()) GTEST_SKIP() << "redis-server is not installed: nothing is tested";
  }
};

TEST_F(RedisClient, asks_a_real_server_and_waits_for_the_first_connection) {
  const RedisServer server;
  connect(url(server.port()) + "/3");
  EXPECT_EQ(ask("k", {"SET", "k", "v"}), "OK");
  EXPECT_EQ(ask("k", {"GET", "k"}), "v");
  EXPECT_TRUE(client->is_reachable());
  EXPECT_EQ(client->connections(), 1);
  EXPECT_THAT(server.ask({"CLIENT", "LIST"}).text, HasSubstr("name=spillway"));
  EXPECT_THAT(server.ask({"INFO", "keyspace"}).text, HasSubstr("db3:keys=1"));
}

TEST_F(RedisClient, resolves_a_name) {
  const RedisServer server;
  connect("redis://localhost:" + std::to_string(server.port()));
  EXPECT_EQ(ask("k", {"PING"}), "PONG");
}

TEST_F(RedisClient, shows_a_password_and_is_refused_with_a_wrong_one) {
  const RedisServer server({"--requirepass", "s3cret"});
  const std::string host = "127.0.0.1:" + std::to_string(server.port());
  connect("redis://:s3cret@" + host);
  EXPECT_EQ(ask("k", {"SET", "k", "v"}), "OK");
  disconnect();
  connect("redis://:wr0ng@" + host);
  EXPECT_EQ(ask("k", {"GET", "k"}), "connection_refused");
  EXPECT_THAT(failure, HasSubstr("WRONGPASS"));
  EXPECT_THAT(failure, Not(HasSubstr("wr0ng")));
  disconnect();
  connect("redis://" + host);
  EXPECT_EQ(ask("k", {"GET", "k"}), "connection_refused");
  EXPECT_THAT(failure, HasSubstr("NOAUTH"));
}

TEST_F(RedisClient, runs_a_script_that_the_server_has_or_not) {
  const RedisServer server;
  connect(url(server.port()));
  const Script script("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])");
  run(run_script(script, {"k"}));
  EXPECT_EQ(outcome, "7");
  EXPECT_EQ(server.ask({"SCRIPT", "EXISTS", script.digest()}).items.at(0).integer, 1);
  run(run_script(script, {"k"}));
  EXPECT_EQ(outcome, "7");
}

TEST_F(RedisClient, fails_at_once_while_the_server_is_away_and_comes_back_with_it) {
  RedisServer server;
  connect(url(server.port()));
  EXPECT_EQ(ask("k", {"PING"}), "PONG");
  server.stop();
  EXPECT_TRUE(becomes_unreachable());
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return client->failures() >= 2; }));
  const Instant before = loop.now();
  EXPECT_EQ(ask("k", {"PING"}), "connection_refused");
  EXPECT_LT(loop.now() - before, 500ms);
  EXPECT_TRUE(client->is_away());
  EXPECT_THAT(client->trouble(), HasSubstr("127.0.0.1"));
  server.start();
  EXPECT_TRUE(becomes_reachable());
  EXPECT_EQ(ask("k", {"PING"}), "PONG");
  EXPECT_EQ(client->trouble(), "");
  EXPECT_FALSE(client->is_away());
  EXPECT_GE(changes, 3);
}

TEST_F(RedisClient, gives_up_a_server_that_says_nothing) {
  RedisServer server;
  connect(url(server.port()));
  EXPECT_EQ(ask("k", {"PING"}), "PONG");
  server.freeze();
  EXPECT_EQ(ask("k", {"PING"}, 50ms), "deadline_exceeded");
  EXPECT_TRUE(client->is_reachable());
  EXPECT_EQ(ask("k", {"PING"}, 1200ms), "deadline_exceeded");
  EXPECT_TRUE(becomes_unreachable());
  server.thaw();
  EXPECT_TRUE(becomes_reachable());
  EXPECT_EQ(ask("k", {"PING"}), "PONG");
}

// A peer of the test's own, which plays an older or a stranger Redis.
class ScriptedRedis : public ClientTest {
 protected:
  runtime::PeerListener listener{loop};
};

TEST_F(ScriptedRedis, closes_while_it_still_connects) {
  const runtime::FullListener listener;
  connect(url(listener.address().port));
  start(ask_for("k", command({"PING"}), runtime::test_patience));
  turn();
  disconnect();
  EXPECT_EQ(outcome, "connection_refused");
}

TEST_F(ScriptedRedis, speaks_to_one_without_hello) {
  connect("redis://bids:pw@127.0.0.1:" + std::to_string(listener.address().port) + "/2");
  runtime::Peer peer = listener.accept();
  peer.take_through(command({"HELLO", "3", "AUTH", "bids", "pw", "SETNAME", "spillway"}));
  peer.send("-ERR unknown command 'HELLO'\r\n");
  peer.take_through(command({"AUTH", "bids", "pw"}));
  peer.send("+OK\r\n");
  peer.take_through(command({"CLIENT", "SETNAME", "spillway"}));
  peer.send("+OK\r\n");
  peer.take_through(command({"SELECT", "2"}));
  peer.send("+OK\r\n");
  peer.take_through(command({"PING"}));
  peer.send("+PONG\r\n");
  EXPECT_TRUE(becomes_reachable());
}

TEST_F(ScriptedRedis, waits_longer_and_longer_for_one_that_hangs_up) {
  connect(url(listener.address().port));
  for (int i = 0; i < 3; ++i) (void)listener.accept();
  EXPECT_TRUE(runtime::turn_until(loop, [&] { return client->failures() >= 3; }));
  EXPECT_TRUE(listener.stays_silent());
}

TEST_F(ScriptedRedis, connects_anew_to_one_that_became_a_replica) {
  connect(url(listener.address().port));
  const auto greet = [](runtime::Peer& peer) {
    peer.take_through("spillway\r\n");
    peer.send("%0\r\n");
    peer.take_through(command({"PING"}));
    peer.send("+PONG\r\n");
  };
  runtime::Peer first = listener.accept();
  greet(first);
  EXPECT_TRUE(becomes_reachable());
  let_pass(1100ms);  // It was good for long enough to be replaced at once.
  start(ask_for("k", command({"SET", "k", "v"}), runtime::test_patience));
  first.take_through(command({"SET", "k", "v"}));
  first.send("-READONLY You can't write against a read only replica.\r\n");
  runtime::Peer second = listener.accept();
  greet(second);
  EXPECT_TRUE(becomes_reachable());
  EXPECT_THAT(outcome, HasSubstr("READONLY"));
}

class RedisClusterClient : public RedisClient {
 protected:
  void connect_to_cluster() {
    cluster = std::make_unique<RedisCluster>();
    RedisConfig config = *RedisConfig::parse(url(cluster->node(0).port()));
    config.cluster = true;
    connect(config);
    EXPECT_TRUE(becomes_reachable());
  }
  std::unique_ptr<RedisCluster> cluster;
};

TEST_F(RedisClusterClient, asks_each_key_of_the_node_that_has_it) {
  connect_to_cluster();
  for (int i = 0; i < 30; ++i) {
    const std::string key = "k" + std::to_string(i);
    EXPECT_EQ(ask(key, {"SET", key, key}), "OK");
    EXPECT_EQ(cluster->node(cluster->owner(slot_of(key))).ask({"GET", key}).text, key);
  }
  EXPECT_EQ(client->connections(), 3);
}

// While a slot moves, its keys are on two nodes: the old one asks for a question to the new one.
TEST_F(RedisClusterClient, follows_a_slot_that_moves) {
  connect_to_cluster();
  const std::string slot = std::to_string(slot_of("bids"));
  const size_t from = cluster->owner(slot_of("bids"));
  const size_t to = (from + 1) % RedisCluster::size;
  RedisServer& source = cluster->node(from);
  RedisServer& target = cluster->node(to);
  EXPECT_EQ(ask("bids", {"SET", "bids", "1"}), "OK");
  EXPECT_EQ(target.ask({"CLUSTER", "SETSLOT", slot, "IMPORTING", cluster->id(from)}).text, "OK");
  EXPECT_EQ(source.ask({"CLUSTER", "SETSLOT", slot, "MIGRATING", cluster->id(to)}).text, "OK");
  EXPECT_EQ(ask("bids", {"INCR", "bids"}), "2");
  EXPECT_EQ(ask("{bids}2", {"INCR", "{bids}2"}), "1") << "ASK";
  EXPECT_EQ(
      source.ask({"MIGRATE", "127.0.0.1", std::to_string(target.port()), "bids", "0", "5000"}).text,
      "OK");
  EXPECT_EQ(ask("bids", {"INCR", "bids"}), "3") << "ASK";
  // Half of a question's keys here, half there.
  EXPECT_EQ(ask("{bids}3", {"MGET", "bids", "{bids}3"}).substr(0, 8), "TRYAGAIN");
  for (size_t i : {to, from, (to + 1) % RedisCluster::size}) {
    EXPECT_EQ(cluster->node(i).ask({"CLUSTER", "SETSLOT", slot, "NODE", cluster->id(to)}).text,
              "OK");
  }
  EXPECT_EQ(ask("bids", {"INCR", "bids"}), "4") << "MOVED";
  EXPECT_EQ(ask("{bids}2", {"INCR", "{bids}2"}), "2");
}

TEST_F(RedisClusterClient, fails_at_once_for_a_lost_node_and_goes_on_with_the_others) {
  connect_to_cluster();
  RedisServer& lost = cluster->node(cluster->owner(slot_of("bids")));
  for (size_t i = 0; i < RedisCluster::size; ++i) {
    cluster->node(i).ask({"CONFIG", "SET", "cluster-require-full-coverage", "no"});
  }
  lost.stop();
  EXPECT_TRUE(becomes_unreachable());
  std::string other = "k";
  while (cluster->owner(slot_of(other)) == cluster->owner(slot_of("bids"))) other += "k";
  EXPECT_EQ(ask(other, {"SET", other, "1"}), "OK");
  EXPECT_TRUE(runtime::turn_until(
      loop, [&] { return ask("bids", {"GET", "bids"}, 100ms) == "connection_refused"; }));
}

TEST_F(RedisClusterClient, says_what_is_wrong_with_one_that_is_no_cluster) {
  const RedisServer server;
  RedisConfig config = *RedisConfig::parse(url(server.port()));
  config.cluster = true;
  connect(config);
  EXPECT_EQ(ask("k", {"GET", "k"}), "connection_refused");
  EXPECT_THAT(failure, HasSubstr("cluster support disabled"));
  EXPECT_FALSE(client->is_reachable());
}

}  // namespace
}  // namespace spillway::redis
