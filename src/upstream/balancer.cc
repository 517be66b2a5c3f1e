// upstream/balancer.cc: the list of balancing algorithms.
#include "upstream/balancer.h"

#include "base/check.h"
#include "upstream/balancers/least_requests.h"
#include "upstream/balancers/random_two.h"
#include "upstream/balancers/ring_hash.h"
#include "upstream/balancers/round_robin.h"

namespace spillway::upstream {

std::unique_ptr<Balancer> make_balancer(Balance::Algorithm algorithm) {
  switch (algorithm) {
    case Balance::Algorithm::round_robin: return std::make_unique<RoundRobin>();
    case Balance::Algorithm::least_requests: return std::make_unique<LeastRequests>();
    case Balance::Algorithm::random_two: return std::make_unique<RandomTwo>();
    case Balance::Algorithm::ring_hash: return std::make_unique<RingHash>();
  }
  CHECK(false);
}

}  // namespace spillway::upstream
