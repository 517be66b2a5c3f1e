// redis/node.h: keeps a connection to one node of Redis, and knows at once when there is none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "redis/connection.h"
#include "redis/slot_map.h"
#include "runtime/event.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/task.h"
#include "runtime/users.h"

namespace spillway::redis {

// What all nodes of a client have in common.
struct NodeOptions {
  std::string user;
  std::string password;
  uint32_t database = 0;
  std::string client_name = "spillway";  // CLIENT SETNAME.
  ConnectionLimits limits;
  Duration connect_timeout = 1s;  // The greeting included.
  Duration pause = 50ms;  // After a failure; doubled by each, and up to half less by chance.
  Duration pause_max = 2s;
  std::function<void()> on_change = [] {};  // It is up, or no longer.
};

// Owned by a Client, whose task runs it. While a node is away calls fail at once; only at the
// start, and when a connection that was good has ended, they wait for the new one. One core.
class Node {
 public:
  // `options` outlive it.
  Node(runtime::Loop& loop, runtime::Resolver& resolver, NodeAddress address,
       const NodeOptions& options);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Connects again and again until stop(), and until nobody is in call() any more.
  runtime::Task<void> run();
  void stop();

  // As Connection::call, and connection_refused while the node is away.
  runtime::Task<Result<Reply>> call(std::string_view commands, Deadline deadline,
                                    runtime::Interruption* interruption, uint32_t ignored = 0);
  // What we have is of no use any more, for example because it leads to a replica.
  void reconnect(std::string_view why);

  const NodeAddress& address() const { return address_; }
  bool is_up() const { return connection_ != nullptr; }
  // Calls fail at once; else they go out, or wait for a connection being made.
  bool is_away() const { return !is_up() && !is_first_try_; }
  uint64_t failures() const { return failures_; }          // Of connecting, and of connections.
  const std::string& trouble() const { return trouble_; }  // The last of them; empty if none.

 private:
  runtime::Task<Error> connect_and_serve();
  runtime::Task<Result<runtime::Socket>> connect(Deadline deadline);
  runtime::Task<Result<void>> greet(Connection& connection, Deadline deadline);
  runtime::Task<Result<void>> wait_until_up(Deadline deadline, runtime::Interruption* interruption);
  runtime::Task<void> serve(Connection& connection, Error& ended);
  Duration pause();

  runtime::Loop& loop_;
  runtime::Resolver& resolver_;
  const NodeAddress address_;
  const NodeOptions& options_;
  Connection* connection_ = nullptr;  // Greeted; in the frame of connect_and_serve().
  Instant up_since_;
  bool is_first_try_ = true;  // Being connected for the first time after all was well.
  bool is_stopping_ = false;
  uint32_t failures_in_a_row_ = 0;
  uint64_t failures_ = 0;
  std::string trouble_;
  runtime::Interruption stopping_;
  runtime::Event changed_;
  runtime::Event stop_;
  runtime::Users users_;
};

}  // namespace spillway::redis
