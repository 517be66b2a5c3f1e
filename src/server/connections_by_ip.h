// server/connections_by_ip.h: how many connections each client has open, exact over all cores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "base/address.h"
#include "base/mutex.h"

namespace spillway::server {

// Any core. Has an entry for each client with a connection, so resources.connections bounds it; an
// ordered map, because clients choose the keys and no order of theirs makes it slow.
class ConnectionsByIp {
 public:
  // One connection of a client, given back in the destructor.
  class Place {
   public:
    Place(Place&& other) noexcept
        : of_(std::exchange(other.of_, nullptr)), client_(other.client_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(of_, other.of_);
      std::swap(client_, other.client_);
      return *this;
    }
    ~Place() {
      if (of_ != nullptr) of_->give_back(client_);
    }

   private:
    friend class ConnectionsByIp;
    Place(ConnectionsByIp& of, const IpAddress& client) : of_(&of), client_(client) {}
    ConnectionsByIp* of_;
    IpAddress client_;
  };

  // Nothing: the client has `most` open already. An IPv6 client is its /64.
  std::optional<Place> take(const IpAddress& client, uint32_t most) {
    const IpAddress key = client.network(64);
    const bool fits = counts_.with([&](Counts& counts) {
      uint32_t& count = counts[key];  // Never 0 but for a new one, which fits.
      if (count >= most) return false;
      ++count;
      return true;
    });
    return fits ? std::optional(Place(*this, key)) : std::nullopt;
  }
  size_t clients() {
    return counts_.with([](const Counts& counts) { return counts.size(); });
  }

 private:
  using Counts = std::map<IpAddress, uint32_t>;

  void give_back(const IpAddress& key) {
    counts_.with([&](Counts& counts) {
      const auto found = counts.find(key);
      if (--found->second == 0) counts.erase(found);
    });
  }

  Guarded<Counts> counts_;
};

}  // namespace spillway::server
