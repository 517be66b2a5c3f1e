// redis/client.cc: who has the key, what to do where that has changed, and how it is learnt.
#include "redis/client.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "redis/command.h"

namespace spillway::redis {

using runtime::Task;

namespace {

constexpr Duration map_timeout = 1s;       // For one node's answer to CLUSTER SLOTS.
constexpr Duration map_pause = 100ms;      // Between two tries; a cluster takes longer to settle.
constexpr Duration try_again_pause = 5ms;  // While the keys of one slot are on two nodes.

NodeAddress address_of(const Url& url) { return {url.host, url.port}; }

}  // namespace

Client::Client(runtime::Loop& loop, runtime::Resolver& resolver, const RedisConfig& config,
               OnChange on_change)
    : loop_(loop),
      resolver_(resolver),
      config_(config),
      on_change_(std::move(on_change)),
      map_wanted_(loop),
      map_known_(loop),
      tasks_(loop) {
  CHECK(!config_.at.empty());
  const Url& first = config_.at.front();
  node_options_.user = first.user;
  node_options_.password = first.password;
  node_options_.database = first.database;
  node_options_.limits.in_flight_max = config_.in_flight;
  node_options_.on_change = [this] {
    if (config_.cluster) want_map();  // What was on a node may be on another by now.
    on_change_();
  };
  connect_to_seeds();
  if (!config_.cluster) return;
  want_map();
  CHECK(tasks_.spawn(keep_map()));
}

Client::~Client() { CHECK(tasks_.count() == 0); }

void Client::connect_to_seeds() {
  for (const Url& url : config_.at) (void)node_at(address_of(url));
}

Node& Client::node_at(const NodeAddress& address) {
  if (const auto found = nodes_.find(address); found != nodes_.end()) return *found->second;
  auto node = std::make_unique<Node>(loop_, resolver_, address, node_options_);
  Node& added = *node;
  nodes_[address] = &added;
  tasks_.spawn(keep(std::move(node)));
  return added;
}

Task<void> Client::keep(std::unique_ptr<Node> node) {
  co_await runtime::next_turn(loop_);  // Whoever makes us hears of no change before it has us.
  co_await node->run();
  failures_of_gone_ += node->failures();
}

void Client::forget_all_but(const std::vector<NodeAddress>& wanted) {
  std::erase_if(nodes_, [&](const auto& entry) {
    if (std::ranges::find(wanted, entry.first) != wanted.end()) return false;
    entry.second->stop();
    return true;
  });
}

Task<Result<Reply>> Client::call(std::string_view key, std::string_view command, Deadline deadline,
                                 runtime::Interruption* interruption) {
  if (is_closing_) co_return fail(Error::Code::cancelled, "we are about to end");
  if (config_.cluster) {
    co_return co_await call_in_cluster(slot_of(key), command, deadline, interruption);
  }
  Node& node = *nodes_.begin()->second;
  auto reply = co_await node.call(command, deadline, interruption);
  // Its name may lead to another node by now.
  if (reply && reply->error_code() == "READONLY" && !is_closing_) {
    nodes_.begin()->second->reconnect("Redis has become a replica");
  }
  co_return reply;
}

Task<Result<Reply>> Client::call_in_cluster(uint16_t slot, std::string_view command,
                                            Deadline deadline,
                                            runtime::Interruption* interruption) {
  CO_TRY(at, co_await owner_of(slot, deadline));
  std::string asking;  // With ASKING before it, which the node obeys for one command.
  for (int tries = 0;; ++tries) {
    if (is_closing_) co_return fail(Error::Code::cancelled, "we are about to end");
    const std::string_view commands = asking.empty() ? command : std::string_view(asking);
    auto reply =
        co_await node_at(at).call(commands, deadline, interruption, asking.empty() ? 0 : 1);
    if (!reply) {
      const Error::Code code = reply.error().code;
      if (code == Error::Code::connection_refused || code == Error::Code::connection_closed) {
        want_map();
      }
      co_return reply;
    }
    const std::string_view error = reply->error_code();
    if (error == "CLUSTERDOWN" || error == "READONLY") want_map();
    const auto redirection = Redirection::of(*reply, at);
    const bool goes_on = redirection ? may_ask(redirection->to) : error == "TRYAGAIN";
    if (!goes_on || tries >= redirections_max || deadline.has_passed(loop_.now())) co_return reply;
    if (redirection) {
      follow(*redirection);
      at = redirection->to;
      asking = redirection->is_ask ? redis::command({"ASKING"}) + std::string(command) : "";
    } else {
      co_await runtime::sleep(loop_, std::min(try_again_pause, deadline.left(loop_.now())));
    }
  }
}

// However many nodes a cluster talks of.
bool Client::may_ask(const NodeAddress& address) const {
  return !is_closing_ && (nodes_.contains(address) || nodes_.size() < SlotMap::nodes_max);
}

// Nobody knows how much else has moved, so the whole map is asked for as well.
void Client::follow(const Redirection& redirection) {
  if (redirection.is_ask || slots_ == nullptr) return;
  slots_->move(redirection.slot, redirection.to);
  want_map();
}

Task<Result<NodeAddress>> Client::owner_of(uint16_t slot, Deadline deadline) {
  while (slots_ == nullptr && !map_has_failed_ && !is_closing_) {
    CO_TRY_VOID(co_await map_known_.wait(deadline));
  }
  const NodeAddress* owner = slots_ == nullptr ? nullptr : slots_->owner(slot);
  if (owner != nullptr) co_return *owner;
  want_map();
  co_return fail(Error::Code::connection_refused,
                 slots_ == nullptr ? "the nodes of the Redis cluster are not known: " + map_trouble_
                                   : "no node of the Redis cluster has this slot",
                 Error::Blame::upstream, Error::Retry::safe);
}

void Client::want_map() {
  wants_map_ = true;
  map_wanted_.set();
}

Task<void> Client::keep_map() {
  while (!is_closing_) {
    if (!wants_map_) {
      map_wanted_.reset();
      CHECK((co_await map_wanted_.wait(Deadline::never())).has_value());
      continue;
    }
    wants_map_ = false;
    auto fetched = co_await fetch_map();
    map_has_failed_ = !fetched;
    map_trouble_ = fetched ? "" : fetched.error().detail;
    wants_map_ |= !fetched;
    map_known_.set();
    on_change_();
    // Many calls may have found out at once: one answer is for all of them.
    co_await runtime::sleep(loop_, map_pause);
  }
}

// Those that are connected first, beginning anywhere.
std::vector<NodeAddress> Client::nodes_to_ask() {
  const auto is_up = [](const auto& entry) { return entry.second->is_up(); };
  if (std::ranges::none_of(nodes_, is_up)) connect_to_seeds();
  std::vector<NodeAddress> up;
  std::vector<NodeAddress> others;
  for (const auto& [address, node] : nodes_) (node->is_up() ? up : others).push_back(address);
  if (!up.empty()) {
    const auto first = static_cast<ptrdiff_t>(loop_.random().below(up.size()));
    std::ranges::rotate(up, up.begin() + first);
  }
  up.insert(up.end(), others.begin(), others.end());
  return up;
}

Task<Result<void>> Client::fetch_map() {
  Result<void> outcome = fail(Error::Code::not_found, "there is no node to ask");
  for (const NodeAddress& address : nodes_to_ask()) {
    if (is_closing_) break;
    auto map = co_await ask_for_map(address);
    if (map && !is_closing_) {
      use_map(*std::move(map));
      co_return Result<void>{};
    }
    if (!map) outcome = fail(std::move(map).error());
  }
  co_return outcome;
}

Task<Result<std::unique_ptr<SlotMap>>> Client::ask_for_map(const NodeAddress& address) {
  const std::string question = command({"CLUSTER", "SLOTS"});
  const Deadline deadline = Deadline::after(loop_.now(), map_timeout);
  CO_TRY(reply, co_await node_at(address).call(question, deadline, nullptr));
  if (reply.is_error()) {
    co_return fail(Error::Code::protocol, "CLUSTER SLOTS: " + reply.text.substr(0, 200),
                   Error::Blame::upstream);
  }
  CO_TRY(map, SlotMap::parse(reply, address));
  if (map.nodes().empty()) {
    co_return fail(Error::Code::not_found, "no node of the Redis cluster has slots",
                   Error::Blame::upstream);
  }
  co_return std::make_unique<SlotMap>(std::move(map));
}

void Client::use_map(std::unique_ptr<SlotMap> map) {
  slots_ = std::move(map);
  for (const NodeAddress& address : slots_->nodes()) (void)node_at(address);
  forget_all_but(slots_->nodes());
}

bool Client::is_reachable() const {
  if (nodes_.empty() || is_closing_) return false;
  if (config_.cluster && (slots_ == nullptr || !slots_->is_complete())) return false;
  return std::ranges::all_of(nodes_, [](const auto& entry) { return entry.second->is_up(); });
}

bool Client::is_away() const {
  return map_has_failed_ ||
         std::ranges::any_of(nodes_, [](const auto& entry) { return entry.second->is_away(); });
}

uint64_t Client::connections() const {
  return static_cast<uint64_t>(
      std::ranges::count_if(nodes_, [](const auto& entry) { return entry.second->is_up(); }));
}

uint64_t Client::failures() const {
  uint64_t sum = failures_of_gone_;
  for (const auto& [address, node] : nodes_) sum += node->failures();
  return sum;
}

std::string Client::trouble() const {
  for (const auto& [address, node] : nodes_) {
    if (!node->is_up() && !node->trouble().empty()) {
      return to_string(address) + ": " + node->trouble();
    }
  }
  return map_trouble_;
}

Task<Result<void>> Client::close(Deadline deadline) {
  is_closing_ = true;
  forget_all_but({});
  map_wanted_.set();
  map_known_.set();
  co_return co_await tasks_.close(deadline);
}

}  // namespace spillway::redis
