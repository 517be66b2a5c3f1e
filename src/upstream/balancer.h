// upstream/balancer.h: the interface of balancing algorithms, and the list of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/random.h"
#include "upstream/balance.h"

namespace spillway::upstream {

// One endpoint as a balancer sees it. Kept dense, so that a thousand are read in about a
// microsecond.
struct Candidate {
  uint32_t weight = 0;  // Now, in thousandths, slow start included; 0: may not be chosen.
  uint32_t in_flight = 0;
  uint32_t ramp = 0;         // Thousandths of its share; below 1000 in slow start.
  uint32_t plan_weight = 1;  // As the plan says.
  uint64_t identity = 0;     // Hash of its name: the same in every process.
};

struct Question {
  Random& random;
  std::optional<uint64_t> hash_key;  // For ring_hash; without one any endpoint will do.
};

// Chooses among candidates. Owned by one Cluster, not thread-safe. choose() never allocates and
// returns nothing only if no candidate has a weight. An extension point: a new algorithm is a file
// in balancers/, a name in Balance and a line in make_balancer().
class Balancer {
 public:
  virtual ~Balancer() = default;
  // Called whenever candidates came, went or got another plan_weight, before the next choose().
  virtual void candidates_changed(std::span<const Candidate> candidates) = 0;
  virtual std::optional<uint32_t> choose(std::span<const Candidate> candidates,
                                         const Question& question) = 0;
};

std::unique_ptr<Balancer> make_balancer(Balance::Algorithm algorithm);

}  // namespace spillway::upstream
