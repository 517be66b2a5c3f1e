// upstream/cluster_bench.cc: what choosing an endpoint costs per request.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "upstream/cluster.h"
#include "upstream/hash.h"

namespace spillway::upstream {
namespace {

std::vector<EndpointSpec> specs(int64_t count) {
  std::vector<EndpointSpec> result;
  for (int64_t i = 0; i < count; ++i) {
    result.push_back({.name = "replica-" + std::to_string(i),
                      .address = {.ip = IpAddress::from_v4(0x0A000001),
                                  .port = static_cast<uint16_t>(4000 + i)}});
  }
  return result;
}

// One request: counted, picked, settled. `now` moves as at 100,000 requests per second.
void count_pick_settle(benchmark::State& state, const char* balance, bool is_guarded) {
  ClusterConfig config;
  config.balance = *Balance::parse(balance);
  if (is_guarded) config.breaker.emplace();
  if (is_guarded) config.concurrency = 1000;
  Cluster cluster("api", config);
  Instant now = Instant::from_nanoseconds(1);
  cluster.set_endpoints(specs(state.range(0)), now);
  Random random(1);
  for (auto _ : state) {
    now = now + 10us;
    cluster.count_request(now);
    const auto ticket = cluster.pick({.now = now, .random = random, .hash_key = random.next()});
    benchmark::DoNotOptimize(cluster.settle(*ticket, Outcome::answered(200), now));
  }
}

BENCHMARK_CAPTURE(count_pick_settle, round_robin, "round_robin", false)->Arg(4)->Arg(1024);
BENCHMARK_CAPTURE(count_pick_settle, least_requests, "least_requests", false)->Arg(4)->Arg(1024);
BENCHMARK_CAPTURE(count_pick_settle, least_requests_guarded, "least_requests", true)->Arg(4);
BENCHMARK_CAPTURE(count_pick_settle, random_two, "random_two", false)->Arg(4)->Arg(1024);
BENCHMARK_CAPTURE(count_pick_settle, ring_hash, "ring_hash(ip)", false)->Arg(4)->Arg(1024);

}  // namespace
}  // namespace spillway::upstream
