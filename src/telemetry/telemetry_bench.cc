// telemetry/telemetry_bench.cc: what counting, timing and logging cost a request.
#include <benchmark/benchmark.h>

#include <array>

#include "telemetry/access_log.h"
#include "telemetry/active_users.h"
#include "telemetry/prometheus_text.h"
#include "telemetry/registry.h"

namespace spillway::telemetry {
namespace {

void counter_add(benchmark::State& state) {
  Registry registry(2);
  Counter counter =
      registry.counter(registry.family({"requests_total", "R.", MetricType::counter}), {}, 0);
  for (auto _ : state) {
    counter.add();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(counter_add);

void histogram_observe(benchmark::State& state) {
  Registry registry(2);
  Histogram histogram =
      registry.histogram(registry.family({"seconds", "S.", MetricType::histogram}), {}, 0);
  uint64_t i = 0;
  for (auto _ : state) {
    i = i * 6364136223846793005 + 1442695040888963407;
    histogram.observe(Duration(static_cast<int64_t>(i >> 38)));  // Up to 67 ms, in no order.
    benchmark::ClobberMemory();
  }
}
BENCHMARK(histogram_observe);

void active_users_add(benchmark::State& state) {
  ActiveUsers users;
  uint64_t key = 0;
  for (auto _ : state) users.add(++key, Instant::from_nanoseconds(1));
}
BENCHMARK(active_users_add);

void access_line(benchmark::State& state) {
  const AccessRecord record{
      .time = WallTime(1'740'830'400'123'456'789ns),
      .method = "GET",
      .host = "www.example.com",
      .path = "/api/auctions/1234567/bids",
      .query = "sort=hot&page=2",
      .route = "/api/auctions/*",
      .service = "api",
      .endpoint = "10.0.0.1:4010",
      .status = 200,
      .bytes_out = 10240,
      .duration = 12'345'678ns,
      .upstream_duration = 11ms,
      .client_ip = "192.0.2.7",
      .user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      .request_id = "01HQ3V5X2Y8Z9A7B6C5D4E3F2G",
      .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"};
  std::array<char, access_line_bytes_max> memory;
  size_t bytes = 0;
  for (auto _ : state) {
    bytes = format_access_line(record, memory);
    benchmark::ClobberMemory();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(access_line);

void scrape_a_thousand_series(benchmark::State& state) {
  Registry registry(2);
  const Family& family =
      registry.family({"http_requests_total", "R.", MetricType::counter, {"route"}});
  for (int i = 0; i < 1000; ++i) registry.counter(family, {std::to_string(i)}, 0).add();
  for (auto _ : state) benchmark::DoNotOptimize(prometheus_text(registry.snapshot()));
}
BENCHMARK(scrape_a_thousand_series);

}  // namespace
}  // namespace spillway::telemetry
