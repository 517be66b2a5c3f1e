// gateway/route_table_bench.cc: 1,000 routes cost as ten.
#include <benchmark/benchmark.h>

#include <string>

#include "gateway/route_table.h"

namespace spillway::gateway {
namespace {

RouteTable table_of(int64_t count, bool by_host) {
  std::vector<RouteConfig> routes;
  for (int64_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    RouteConfig route;
    if (by_host) route.host = *HostPattern::parse("shop" + number + ".example");
    route.path = *PathPattern::parse(by_host ? "/*" : "/api/part" + number + "/*");
    routes.push_back(std::move(route));
  }
  return RouteTable(std::move(routes));
}

// The last route, which a search from the top would find last.
void by_path(benchmark::State& state) {
  const RouteTable table = table_of(state.range(0), false);
  const std::string path = "/api/part" + std::to_string(state.range(0) - 1) + "/items/17";
  const http::HeaderList fields;
  const RouteQuestion question{
      .host = "shop.example", .path = path, .method_text = "GET", .fields = &fields};
  for (auto _ : state) benchmark::DoNotOptimize(table.match(question));
}
BENCHMARK(by_path)->Arg(10)->Arg(100)->Arg(1000);

void by_host(benchmark::State& state) {
  const RouteTable table = table_of(state.range(0), true);
  const std::string host = "shop" + std::to_string(state.range(0) - 1) + ".example";
  const http::HeaderList fields;
  const RouteQuestion question{
      .host = host, .path = "/items/17", .method_text = "GET", .fields = &fields};
  for (auto _ : state) benchmark::DoNotOptimize(table.match(question));
}
BENCHMARK(by_host)->Arg(10)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace spillway::gateway
