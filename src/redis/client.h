// redis/client.h: one core's way to Redis: one node, or all of a cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "redis/config.h"
#include "redis/node.h"
#include "redis/slot_map.h"
#include "runtime/event.h"
#include "runtime/gate.h"
#include "runtime/interruption.h"
#include "runtime/loop.h"
#include "runtime/resolver.h"
#include "runtime/task.h"

namespace spillway::redis {

// Commands with a key go to the node that has it. Nothing is kept back while Redis is away: a call
// fails at once, and the way back is looked for beside it. One core.
class Client {
 public:
  // Told when is_reachable() may have changed.
  using OnChange = std::function<void()>;

  // Begins to connect. REQUIRES: a config that the plan's checks have passed.
  Client(runtime::Loop& loop, runtime::Resolver& resolver, const RedisConfig& config,
         OnChange on_change);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // One whole command, needed until it is awaited to its end, about `key`. What Redis answers is a
  // Reply, its errors too, but for those that only say where to ask instead: they are followed.
  // Errors: connection_refused (Redis is away: retry safe), overloaded, deadline_exceeded,
  // connection_closed (it may have been done), cancelled, protocol.
  runtime::Task<Result<Reply>> call(std::string_view key, std::string_view command,
                                    Deadline deadline,
                                    runtime::Interruption* interruption = nullptr);

  // The node is connected; of a cluster all that have slots, and each slot has one.
  bool is_reachable() const;
  // Some calls fail at once. Neither is the case while it connects anew for the first time.
  bool is_away() const;
  uint64_t connections() const;
  uint64_t failures() const;    // Of connections and of connecting.
  std::string trouble() const;  // Why something is away; empty if nothing is.

  // Ends all connections; calls under way end with connection_closed.
  runtime::Task<Result<void>> close(Deadline deadline);

 private:
  static constexpr int redirections_max = 5;

  Node& node_at(const NodeAddress& address);
  runtime::Task<void> keep(std::unique_ptr<Node> node);
  void forget_all_but(const std::vector<NodeAddress>& wanted);
  void connect_to_seeds();

  runtime::Task<Result<Reply>> call_in_cluster(uint16_t slot, std::string_view command,
                                               Deadline deadline,
                                               runtime::Interruption* interruption);
  runtime::Task<Result<NodeAddress>> owner_of(uint16_t slot, Deadline deadline);
  bool may_ask(const NodeAddress& address) const;
  void follow(const Redirection& redirection);
  // Soon: who has which slots may have changed.
  void want_map();
  runtime::Task<void> keep_map();
  std::vector<NodeAddress> nodes_to_ask();
  runtime::Task<Result<void>> fetch_map();
  runtime::Task<Result<std::unique_ptr<SlotMap>>> ask_for_map(const NodeAddress& address);
  void use_map(std::unique_ptr<SlotMap> map);

  runtime::Loop& loop_;
  runtime::Resolver& resolver_;
  const RedisConfig config_;
  const OnChange on_change_;
  NodeOptions node_options_;
  std::map<NodeAddress, Node*> nodes_;  // Each owned by the task that keeps it.
  uint64_t failures_of_gone_ = 0;       // Of nodes that are no longer there.
  std::unique_ptr<SlotMap> slots_;      // Of a cluster, once known.
  bool wants_map_ = false;
  bool map_has_failed_ = false;  // The last try to learn it.
  std::string map_trouble_;
  bool is_closing_ = false;
  runtime::Event map_wanted_;
  runtime::Event map_known_;  // Or could not be learnt.
  runtime::Gate tasks_;
};

}  // namespace spillway::redis
