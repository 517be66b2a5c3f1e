// redis/slot_map.cc: keys to slots, and the answers of a cluster to owners.
#include "redis/slot_map.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace spillway::redis {
namespace {

constexpr std::array<uint16_t, 256> make_crc_table() {
  constexpr uint16_t polynomial = 0x1021;
  std::array<uint16_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    auto crc = static_cast<uint16_t>(byte << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ polynomial : crc << 1);
    }
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint16_t, 256> crc_table = make_crc_table();

std::unexpected<Error> malformed(std::string_view why) {
  return fail(Error::Code::protocol, fmt::format("CLUSTER SLOTS: {}", why), Error::Blame::upstream);
}

bool is_slot(int64_t number) { return number >= 0 && number < slot_count; }

// [host, port, id, ...]; a host that is null, empty or "?" is the one that was asked.
std::optional<NodeAddress> node_of(const Reply& reply, const NodeAddress& asked) {
  if (reply.items.size() < 2 || reply.items[1].kind != Reply::Kind::integer) return std::nullopt;
  const int64_t port = reply.items[1].integer;
  if (port < 1 || port > UINT16_MAX) return std::nullopt;
  const std::string& host = reply.items[0].text;
  const bool is_named = !host.empty() && host != "?";
  return NodeAddress{is_named ? host : asked.host, static_cast<uint16_t>(port)};
}

}  // namespace

std::string to_string(const NodeAddress& address) {
  const bool is_v6 = address.host.contains(':');
  return fmt::format("{}{}{}:{}", is_v6 ? "[" : "", address.host, is_v6 ? "]" : "", address.port);
}

uint16_t slot_of(std::string_view key) {
  const size_t open = key.find('{');
  if (open != std::string_view::npos) {
    const size_t close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) {
      key = key.substr(open + 1, close - open - 1);
    }
  }
  uint16_t crc = 0;
  for (const char c : key) {
    const auto byte = static_cast<uint8_t>(c);
    crc = static_cast<uint16_t>((crc << 8) ^ crc_table[((crc >> 8) ^ byte) & 0xFF]);
  }
  return crc % slot_count;
}

Result<SlotMap> SlotMap::parse(const Reply& reply, const NodeAddress& asked) {
  if (reply.kind != Reply::Kind::array) return malformed("no array was answered");
  SlotMap map;
  for (const Reply& range : reply.items) {
    if (range.items.size() < 3) return malformed("a range has no node");
    const int64_t first = range.items[0].integer;
    const int64_t last = range.items[1].integer;
    if (!is_slot(first) || !is_slot(last) || first > last) {
      return malformed(fmt::format("no such range: {} to {}", first, last));
    }
    const auto node = node_of(range.items[2], asked);
    if (!node) return malformed("a node has no port");
    const auto number = map.number_of(*node);
    if (!number) return malformed(fmt::format("more than {} nodes", nodes_max));
    std::fill(map.owners_.begin() + first, map.owners_.begin() + last + 1, *number);
  }
  return map;
}

void SlotMap::move(uint16_t slot, const NodeAddress& to) {
  if (const auto number = number_of(to)) owners_[slot] = *number;
}

bool SlotMap::is_complete() const { return std::ranges::find(owners_, none) == owners_.end(); }

std::optional<uint16_t> SlotMap::number_of(const NodeAddress& node) {
  const auto found = std::ranges::find(nodes_, node);
  if (found != nodes_.end()) return static_cast<uint16_t>(found - nodes_.begin());
  if (nodes_.size() >= nodes_max) return std::nullopt;
  nodes_.push_back(node);
  return static_cast<uint16_t>(nodes_.size() - 1);
}

std::optional<Redirection> Redirection::of(const Reply& reply, const NodeAddress& asked) {
  const std::string_view code = reply.error_code();
  if (code != "MOVED" && code != "ASK") return std::nullopt;
  std::string_view rest = std::string_view(reply.text).substr(code.size());
  rest = trimmed(rest);
  const size_t blank = rest.find(' ');
  const size_t colon = rest.rfind(':');
  if (blank == std::string_view::npos || colon == std::string_view::npos || colon < blank) {
    return std::nullopt;
  }
  const auto slot = parse_decimal<uint16_t>(rest.substr(0, blank));
  const auto port = parse_decimal<uint16_t>(rest.substr(colon + 1));
  if (!slot || *slot >= slot_count || !port || *port == 0) return std::nullopt;
  const std::string_view host = rest.substr(blank + 1, colon - blank - 1);
  const bool is_named = !host.empty() && host != "?";
  return Redirection{*slot, {is_named ? std::string(host) : asked.host, *port}, code == "ASK"};
}

}  // namespace spillway::redis
