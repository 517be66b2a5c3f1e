// admin/client_entry.h: allowed and denied clients as the control API speaks of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/time.h"

namespace spillway::admin {

enum class ClientList : uint8_t { allow, deny };

// An edit of a list while running.
struct ClientChange {
  ClientList list = ClientList::deny;
  IpPrefix prefix;
  std::optional<Duration> within;  // Then it ends by itself; with the process if absent.
};

struct ClientEntry {
  std::string prefix;
  std::string list;              // allow, deny
  std::string from;              // plan, or live: by an edit.
  std::optional<Duration> left;  // Until it ends by itself.
  bool operator==(const ClientEntry&) const = default;
};

}  // namespace spillway::admin
