// bench/cache_policy.cc: hit ratios of the product's memory cache beside others', on a trace.
//
// Reads "key size" a line from the standard input and prints an object of JSON for each percentage
// that it is given. bench/cache_policy.py is what people call.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cache/memory_tier.h"
#include "cache_peers.h"

namespace spillway::bench {
namespace {

using cache::CacheKey;
using cache::StoredObject;

struct Trace {
  std::vector<Request> requests;
  uint64_t distinct = 0;
  uint64_t distinct_bytes = 0;
};

// False: `line` is not "key size".
bool parse(std::string_view line, Request& request) {
  const size_t space = line.find(' ');
  if (space == std::string_view::npos) return false;
  const auto read = [](std::string_view text, uint64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
  };
  return read(line.substr(0, space), request.key) && read(line.substr(space + 1), request.size) &&
         request.size > 0;
}

bool read_trace(Trace& trace) {
  std::unordered_map<uint64_t, uint64_t> sizes;  // A key keeps the size that it first had.
  std::string line;
  for (uint64_t number = 1; std::getline(std::cin, line); ++number) {
    Request request;
    if (!parse(line, request)) {
      fmt::print(stderr, "line {}: found \"{}\", expected a key and a size of at least 1\n", number,
                 line.substr(0, 60));
      return false;
    }
    const auto [place, is_new] = sizes.try_emplace(request.key, request.size);
    if (is_new) trace.distinct_bytes += request.size;
    request.size = place->second;
    trace.requests.push_back(request);
  }
  trace.distinct = sizes.size();
  return !trace.requests.empty();
}

// Where all sizes are 1 an object counts as one, whatever it takes; else it takes its size, of
// which what an entry costs in memory is part.
class Product {
 public:
  Product(uint64_t size_max, bool counts_objects)
      : counts_objects_(counts_objects),
        tier_(counts_objects ? size_max * unit_bytes() : size_max),
        reader_(tier_) {}

  bool ask(const Request& request) {
    const std::string name = name_of(request.key);
    if (const auto found = reader_.find(CacheKey::of(name))) return true;
    StoredObject object{.key = name};
    const uint64_t bytes = object.bytes();
    if (!counts_objects_ && request.size > bytes) object.body.resize(request.size - bytes);
    reader_.put(std::make_shared<const StoredObject>(std::move(object)));
    return false;
  }

 private:
  static std::string name_of(uint64_t key) { return fmt::format("{:016x}", key); }
  static uint64_t unit_bytes() { return StoredObject{.key = name_of(0)}.bytes(); }

  const bool counts_objects_;
  cache::MemoryTier tier_;
  cache::MemoryReader reader_;
};

template <class Policy>
double hit_ratio(Policy policy, const Trace& trace) {
  uint64_t hits = 0;
  for (const Request& request : trace.requests) hits += policy->ask(request) ? 1 : 0;
  return static_cast<double>(hits) / static_cast<double>(trace.requests.size());
}

void measure(const Trace& trace, double percent) {
  const auto size_max = std::max<uint64_t>(
      static_cast<uint64_t>(static_cast<double>(trace.distinct_bytes) * percent / 100), 1);
  const uint64_t mean = std::max<uint64_t>(trace.distinct_bytes / trace.distinct, 1);
  const uint64_t objects = std::max<uint64_t>(size_max / mean, 1);
  const bool counts_objects = trace.distinct_bytes == trace.distinct;
  fmt::print(
      "{{\"percent\": {:g}, \"objects\": {}, \"spillway\": {:.4f}, \"lru\": {:.4f}, "
      "\"sieve\": {:.4f}, \"s3fifo\": {:.4f}, \"wtinylfu\": {:.4f}, \"belady\": {:.4f}}}\n",
      percent, objects, hit_ratio(std::make_unique<Product>(size_max, counts_objects), trace),
      hit_ratio(std::make_unique<Lru>(size_max), trace),
      hit_ratio(std::make_unique<Sieve>(size_max), trace),
      hit_ratio(std::make_unique<S3Fifo>(size_max), trace),
      hit_ratio(std::make_unique<WTinyLfu>(size_max, objects), trace),
      hit_ratio(std::make_unique<Belady>(size_max, trace.requests), trace));
  std::fflush(stdout);
}

}  // namespace
}  // namespace spillway::bench

int main(int count, char** arguments) {
  using namespace spillway::bench;
  std::ios::sync_with_stdio(false);
  Trace trace;
  if (!read_trace(trace)) return 2;
  for (int i = 1; i < count; ++i) measure(trace, std::stod(arguments[i]));
  return 0;
}
