// http/client_pool_test.cc: idle connections: which are used again, and which are not.
#include "http/client_pool.h"

#include <gtest/gtest.h>

#include <optional>

#include "runtime/loop_testing.h"

namespace spillway::http {
namespace {

using runtime::Task;

class ClientPoolTest : public runtime::PeerTest {
 protected:
  // A connection of the pool, and the upstream's end of it.
  struct Both {
    ClientConnection connection;
    runtime::Peer upstream;
  };
  Both connect() {
    run(connect_into(last));
    EXPECT_TRUE(last && *last);
    Both both{std::move(**last), listener.accept()};
    both.connection.requests = ++number;
    return both;
  }
  Task<void> connect_into(std::optional<Result<ClientConnection>>& into) {
    const SocketAddress address = listener.address();
    into.emplace(co_await pool.connect(address, nullptr, soon()));
  }
  void give_back(Both& both, Duration keepalive = 4s) {
    pool.give_back(listener.address(), nullptr, std::move(both.connection), keepalive);
  }

  telemetry::Registry registry{1};
  ClientPool pool{loop, registry};
  runtime::PeerListener listener{loop};
  std::optional<Result<ClientConnection>> last;
  uint64_t number = 0;
};

TEST_F(ClientPoolTest, gives_the_last_used_connection_first) {
  Both first = connect();
  Both second = connect();
  give_back(first);
  give_back(second);
  EXPECT_EQ(pool.idle(), 2u);
  EXPECT_EQ(pool.reuse(listener.address())->requests, 2u);
  EXPECT_EQ(pool.reuse(listener.address())->requests, 1u);
  EXPECT_FALSE(pool.reuse(listener.address()));
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(ClientPoolTest, does_not_give_one_that_the_upstream_has_closed) {
  Both both = connect();
  give_back(both);
  both.upstream.close();
  turn();
  EXPECT_FALSE(pool.reuse(listener.address()));
}

TEST_F(ClientPoolTest, does_not_give_one_that_the_upstream_has_reset) {
  Both both = connect();
  give_back(both);
  both.upstream.reset();
  turn();
  EXPECT_FALSE(pool.reuse(listener.address()));
}

TEST_F(ClientPoolTest, does_not_give_one_on_which_something_came_unasked) {
  Both both = connect();
  give_back(both);
  both.upstream.send("HTTP/1.1 408 Request Timeout\r\n\r\n");
  turn();
  EXPECT_FALSE(pool.reuse(listener.address()));
}

TEST_F(ClientPoolTest, closes_what_is_idle_for_too_long) {
  Both both = connect();
  give_back(both, 20ms);
  EXPECT_TRUE(both.upstream.sees_end());
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(ClientPoolTest, does_not_give_one_whose_time_is_over) {
  Both both = connect();
  give_back(both, 10ms);
  const Instant end = loop.now() + 10ms;
  while (loop.now() < end) loop.run_once(end);
  EXPECT_FALSE(pool.reuse(listener.address()));
}

TEST_F(ClientPoolTest, keeps_one_no_longer_than_the_upstream_said) {
  Both both = connect();
  both.connection.keepalive = 2s;
  give_back(both, 4s);
  const auto kept = pool.reuse(listener.address());
  ASSERT_TRUE(kept);
  EXPECT_LT(kept->idle_until - loop.now(), 2s);

  Both hasty = connect();
  hasty.connection.keepalive = 0s;
  give_back(hasty, 4s);
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(ClientPoolTest, keeps_nothing_where_the_plan_says_so) {
  Both both = connect();
  give_back(both, 0s);
  EXPECT_EQ(pool.idle(), 0u);
  EXPECT_TRUE(both.upstream.sees_end());
}

TEST_F(ClientPoolTest, what_was_secured_otherwise_is_another_upstreams) {
  Both both = connect();
  const UpstreamTlsPtr old = std::make_shared<const UpstreamTls>();
  pool.give_back(listener.address(), old, std::move(both.connection), 4s);
  EXPECT_FALSE(pool.reuse(listener.address()));
  EXPECT_FALSE(pool.reuse(listener.address(), std::make_shared<const UpstreamTls>()));
  EXPECT_TRUE(pool.reuse(listener.address(), old));
}

TEST_F(ClientPoolTest, a_refused_connection_is_safe_to_try_elsewhere) {
  const SocketAddress address = listener.address();
  listener.close();
  struct Attempt {
    static Task<void> run(ClientPool& pool, SocketAddress to, Deadline deadline,
                          std::optional<Error>& error) {
      auto connection = co_await pool.connect(to, nullptr, deadline);
      if (!connection) error = connection.error();
    }
  };
  std::optional<Error> error;
  run(Attempt::run(pool, address, soon(), error));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, Error::Code::connection_refused);
  EXPECT_EQ(error->retry, Error::Retry::safe);
}

}  // namespace
}  // namespace spillway::http
