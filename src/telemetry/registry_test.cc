// telemetry/registry_test.cc: series are found once, summed over cores, bounded and retired.
#include "telemetry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "base/random.h"

namespace spillway::telemetry {
namespace {

const FamilySpec requests{"http_requests_total", "Requests.", MetricType::counter, {"route"}};
const FamilySpec in_flight{"http_in_flight", "Now.", MetricType::gauge, {}};
const FamilySpec duration{"http_seconds", "Time.", MetricType::histogram, {"route"}};

const SeriesSnapshot* find(const std::vector<FamilySnapshot>& all, std::string_view name,
                           const LabelValues& labels) {
  for (const FamilySnapshot& family : all) {
    for (const SeriesSnapshot& series : family.series) {
      if (family.spec.name == name && series.labels == labels) return &series;
    }
  }
  return nullptr;
}

TEST(Registry, sums_a_counter_over_all_cores) {
  Registry registry(3);
  const Family& family = registry.family(requests);
  for (uint32_t core = 0; core < 3; ++core) registry.counter(family, {"api"}, core).add(core + 1);
  registry.counter(family, {"static"}, 1).add();
  const auto all = registry.snapshot();
  EXPECT_EQ(find(all, "http_requests_total", {"api"})->value, 6);
  EXPECT_EQ(find(all, "http_requests_total", {"static"})->value, 1);
}

TEST(Registry, finds_the_same_series_again) {
  Registry registry(1);
  Counter first = registry.counter(registry.family(requests), {"api"}, 0);
  first.add(5);
  EXPECT_EQ(registry.counter(registry.family(requests), {"api"}, 0).value(), 5u);
  EXPECT_EQ(registry.series_count(), 1u);
}

TEST(Registry, lets_a_gauge_rise_on_one_core_and_fall_on_another) {
  Registry registry(2);
  const Family& family = registry.family(in_flight);
  registry.gauge(family, {}, 0).add(2);
  registry.gauge(family, {}, 1).sub(3);
  EXPECT_EQ(find(registry.snapshot(), "http_in_flight", {})->value, -1);
}

TEST(Registry, shows_a_global_gauge_as_it_was_set) {
  Registry registry(2);
  registry.global_gauge(registry.family(in_flight), {}).set(0.5);
  EXPECT_EQ(find(registry.snapshot(), "http_in_flight", {})->value, 0.5);
}

TEST(Registry, keeps_the_cells_of_two_cores_on_different_cache_lines) {
  CellStore store(2);
  std::set<uintptr_t> lines[2];
  for (int i = 0; i < 5000; ++i) {
    const CellStore::Place place = store.allocate(i % 3 == 0 ? 18 : 1);
    for (size_t lane = 0; lane < 2; ++lane) {
      lines[lane].insert(reinterpret_cast<uintptr_t>(store.at(place, lane)) / 64);
    }
  }
  for (uintptr_t line : lines[0]) EXPECT_FALSE(lines[1].contains(line));
}

TEST(Registry, collects_further_label_sets_in_one_series_named_other) {
  Registry registry(1);
  FamilySpec spec = requests;
  spec.series_max = 2;
  const Family& family = registry.family(spec);
  for (const char* route : {"a", "b", "c", "d"}) registry.counter(family, {route}, 0).add();
  const auto all = registry.snapshot();
  EXPECT_EQ(find(all, spec.name, {"other"})->value, 2);
  EXPECT_EQ(find(all, spec.name, {"c"}), nullptr);
  EXPECT_EQ(registry.series_refused(), 2u);
  registry.counter(family, {"a"}, 0).add();  // Known ones are still found.
  EXPECT_EQ(find(registry.snapshot(), spec.name, {"a"})->value, 2);
}

TEST(Registry, cuts_long_label_values) {
  Registry registry(1);
  registry.counter(registry.family(requests), {std::string(5000, 'x')}, 0).add();
  EXPECT_EQ(registry.snapshot()[0].series[0].labels[0].size(), label_value_bytes_max);
}

TEST(Registry, asks_collectors_at_each_snapshot_until_their_token_is_gone) {
  Registry registry(1);
  const Family& family = registry.family(in_flight);
  double level = 1;
  {
    const auto token = registry.add_collector(
        [&family, &level](Collection& out) { out.set(family, {}, level++); });
    EXPECT_EQ(find(registry.snapshot(), "http_in_flight", {})->value, 1);
    EXPECT_EQ(find(registry.snapshot(), "http_in_flight", {})->value, 2);
  }
  EXPECT_EQ(find(registry.snapshot(), "http_in_flight", {}), nullptr);
}

TEST(Registry, shows_a_label_set_once_even_if_two_collectors_set_it) {
  Registry registry(1);
  const Family& family = registry.family(requests);
  const auto collect = [&family](Collection& out) { out.set(family, {"a"}, 7); };
  const auto one = registry.add_collector(collect);
  const auto two = registry.add_collector(collect);
  EXPECT_EQ(registry.snapshot()[0].series.size(), 1u);
}

TEST(Scope, drops_its_series_when_it_ends) {
  Registry registry(1);
  const Family& family = registry.family(requests);
  {
    Scope scope(registry);
    scope.counter(family, {"api"}, 0).add(3);
    EXPECT_EQ(find(registry.snapshot(), requests.name, {"api"})->value, 3);
  }
  EXPECT_TRUE(registry.snapshot()[0].series.empty());
  Scope again(registry);  // The cells are used again and start from zero.
  EXPECT_EQ(again.counter(family, {"web"}, 0).value(), 0u);
}

TEST(Scope, hands_the_count_to_a_plan_that_asks_before_the_old_one_ends) {
  Registry registry(2);
  const Family& family = registry.family(requests);
  auto before = std::make_unique<Scope>(registry);
  before->counter(family, {"api"}, 0).add(3);
  before->counter(family, {"api"}, 1).add(4);
  Scope after(registry);
  after.counter(family, {"api"}, 0).add();
  before.reset();
  EXPECT_EQ(find(registry.snapshot(), requests.name, {"api"})->value, 8);
}

TEST(Scope, does_not_take_away_what_was_asked_for_without_a_scope) {
  Registry registry(1);
  const Family& family = registry.family(requests);
  Counter forever = registry.counter(family, {"api"}, 0);
  {
    Scope(registry).counter(family, {"api"}, 0).add();
  }
  forever.add();
  EXPECT_EQ(find(registry.snapshot(), requests.name, {"api"})->value, 2);
}

TEST(Histogram, puts_values_where_a_linear_search_would) {
  const Buckets buckets(latency_bounds);
  const auto linear = [](double value) {
    size_t i = 0;
    while (i < latency_bounds.size() && value > latency_bounds[i]) ++i;
    return i;
  };
  Random random(7);
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::exp(random.unit() * 30 - 20);
    ASSERT_EQ(buckets.index_of(value), linear(value)) << value;
  }
  for (double bound : latency_bounds) {
    for (double value : {bound, std::nextafter(bound, 0.0), std::nextafter(bound, 1e9)}) {
      ASSERT_EQ(buckets.index_of(value), linear(value)) << value;
    }
  }
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(buckets.index_of(0), 0u);
  EXPECT_EQ(buckets.index_of(-1), 0u);
  EXPECT_EQ(buckets.index_of(-infinity), 0u);
  EXPECT_EQ(buckets.index_of(infinity), latency_bounds.size());
}

TEST(Histogram, sums_buckets_and_values_over_all_cores) {
  Registry registry(2);
  const Family& family = registry.family(duration);
  registry.histogram(family, {"api"}, 0).observe(3ms);
  registry.histogram(family, {"api"}, 1).observe(4ms);
  registry.histogram(family, {"api"}, 1).observe(2min);
  const auto all = registry.snapshot();
  const SeriesSnapshot& series = *find(all, duration.name, {"api"});
  EXPECT_EQ(series.buckets[3], 2u);
  EXPECT_EQ(series.buckets.back(), 1u);
  EXPECT_NEAR(series.value, 120.007, 1e-9);
}

TEST(RegistryDeathTest, refuses_a_second_meaning_of_a_name) {
  Registry registry(1);
  registry.family(requests);
  FamilySpec other = requests;
  other.label_names = {"host"};
  EXPECT_DEATH(registry.family(other), "CHECK failed");
  EXPECT_DEATH(registry.gauge(registry.family(requests), {"api"}, 0), "CHECK failed");
  EXPECT_DEATH(registry.counter(registry.family(requests), {}, 0), "CHECK failed");
}

TEST(Registry, may_be_read_and_extended_while_cores_count) {
  Registry registry(2);
  const Family& family = registry.family(requests);
  constexpr uint64_t turns = 20'000;
  const auto count = [&registry, &family](uint32_t core) {
    Counter counter = registry.counter(family, {"api"}, core);
    for (uint64_t i = 0; i < turns; ++i) {
      counter.add();
      if (i % 1000 == 0) Scope(registry).counter(family, {std::to_string(i)}, core).add();
    }
  };
  std::thread one(count, 0);
  std::thread two(count, 1);
  for (int i = 0; i < 50; ++i) registry.snapshot();
  one.join();
  two.join();
  EXPECT_EQ(find(registry.snapshot(), requests.name, {"api"})->value, 2.0 * turns);
  EXPECT_EQ(registry.series_count(), 1u);
}

}  // namespace
}  // namespace spillway::telemetry
