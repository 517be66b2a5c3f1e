// runtime/line_writer_bench.cc: what it costs a core to hand over a log line.
#include <benchmark/benchmark.h>

#include <string>

#include "runtime/line_ring.h"

namespace spillway::runtime {
namespace {

// The ring alone: a loop of nothing but appends would only measure how fast lines are dropped.
void push_a_line(benchmark::State& state) {
  LineRing ring(256 * 1024);
  const std::string line = std::string(499, 'x') + "\n";
  for (auto _ : state) {
    ring.push(line);
    if (ring.is_half_full()) ring.pop(ring.used());
  }
  state.counters["dropped"] = static_cast<double>(ring.lines_dropped());
}
BENCHMARK(push_a_line);

}  // namespace
}  // namespace spillway::runtime
