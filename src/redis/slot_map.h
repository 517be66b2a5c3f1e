// redis/slot_map.h: which node of a cluster has a key. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "redis/reply.h"

namespace spillway::redis {

// A node, by what the plan or the cluster itself calls it.
struct NodeAddress {
  std::string host;  // An address without brackets, or a name.
  uint16_t port = 0;

  auto operator<=>(const NodeAddress&) const = default;
};
std::string to_string(const NodeAddress& address);

inline constexpr uint16_t slot_count = 16384;

// CRC16 (XMODEM) of the key, or of what stands in its first braces if that is not empty ("Redis
// cluster specification", hash tags).
uint16_t slot_of(std::string_view key);

// Who has which slots. 32 KiB and the nodes.
class SlotMap {
 public:
  static constexpr size_t nodes_max = 256;  // More than anybody runs; each costs a connection.

  SlotMap() { owners_.fill(none); }
  // The answer to CLUSTER SLOTS of the node that was asked as `asked`: what has no name of its own
  // is on its host. Slots that nobody has are left out. Error: protocol.
  static Result<SlotMap> parse(const Reply& reply, const NodeAddress& asked);

  // Null: nobody has it.
  const NodeAddress* owner(uint16_t slot) const {
    return owners_[slot] == none ? nullptr : &nodes_[owners_[slot]];
  }
  // A node said so. More nodes than nodes_max are not learnt.
  void move(uint16_t slot, const NodeAddress& to);
  const std::vector<NodeAddress>& nodes() const { return nodes_; }
  bool is_complete() const;

 private:
  static constexpr uint16_t none = UINT16_MAX;
  std::optional<uint16_t> number_of(const NodeAddress& node);

  std::vector<NodeAddress> nodes_;
  std::array<uint16_t, slot_count> owners_;
};

// Where a node sends us: "MOVED 3999 127.0.0.1:6381" or "ASK ...".
struct Redirection {
  uint16_t slot = 0;
  NodeAddress to;
  bool is_ask = false;  // For this command alone.

  // Nothing if the reply is none. `asked` as above.
  static std::optional<Redirection> of(const Reply& reply, const NodeAddress& asked);
};

}  // namespace spillway::redis
