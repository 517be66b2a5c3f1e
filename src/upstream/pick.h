// upstream/pick.h: the words in which a Cluster is asked for an endpoint and told how it went.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/random.h"
#include "base/time.h"

namespace spillway::upstream {

// One endpoint of one Cluster. The generation tells it from those that had the index before.
struct EndpointId {
  uint32_t index = 0;
  uint32_t generation = 0;
  constexpr auto operator<=>(const EndpointId&) const = default;
};

// An endpoint as the plan, DNS or the deployer names it. Same name, address and incarnation: the
// same endpoint.
struct EndpointSpec {
  std::string name;  // For people, the ring and sticky cookies; empty: the address.
  SocketAddress address;
  uint64_t incarnation = 0;  // A replica restarted at its old address is another endpoint.
  uint32_t weight = 1;       // Held within 1 to limits::weight_max.
  bool is_proven = false;    // Already passed its ready probe: healthy from the start.
};

struct PickRequest {
  Instant now;
  Random& random;
  std::optional<uint64_t> hash_key = {};   // hash_of() what ring_hash goes by.
  std::optional<uint64_t> sticky = {};     // The identity that the client's cookie carries.
  std::span<const EndpointId> tried = {};  // Avoided while another endpoint is fit.
  std::string* explanation = nullptr;      // For `spillway explain`: why this endpoint.
};

// The right to send one unit of work to one endpoint. Settled exactly once; the pointers are valid
// until then, on any core and without the Cluster's lock, for what they point at never changes.
struct Ticket {
  EndpointId endpoint;
  uint64_t identity = 0;  // For the sticky cookie, by sticky_text().
  const SocketAddress* address = nullptr;
  const std::string* name = nullptr;
  Instant picked_at;
  bool is_trial = false;  // The one request that a half-open breaker lets through.
};

enum class PickRefusal : uint8_t {
  no_endpoints,     // None is listed, or all are draining: 503.
  none_fit,         // Breakers are open, or all are unhealthy and panic is off: 503.
  all_at_capacity,  // Wait in the queue, or 503.
};

struct Outcome {
  enum class Kind : uint8_t {
    answered,         // An answer came; its status tells the rest.
    failed_connect,   // Refused or unreachable: known at once, nothing was sent.
    failed_response,  // The connection broke, or the peer broke its protocol.
    timed_out,        // Connecting or answering took too long.
    client_aborted,   // Our client left; says nothing of the endpoint.
    nothing_learned,  // Cancelled by us, or already told by learn().
  };
  Kind kind = Kind::nothing_learned;
  uint16_t status = 0;  // Of an HTTP answer; 0 for other protocols.

  static constexpr Outcome answered(uint16_t status = 0) { return {Kind::answered, status}; }
  constexpr bool teaches() const {
    return kind != Kind::client_aborted && kind != Kind::nothing_learned;
  }
  // 501 Not Implemented and 505 are answers about the request, not failures of the endpoint.
  constexpr bool is_good() const {
    return kind == Kind::answered && (status < 500 || status == 501 || status == 505);
  }
};

std::string_view to_string(PickRefusal refusal);
std::string_view to_string(Outcome::Kind kind);

}  // namespace spillway::upstream
