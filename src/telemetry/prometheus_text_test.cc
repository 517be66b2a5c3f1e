// telemetry/prometheus_text_test.cc: what we write is read back by a strict little parser.
#include "telemetry/prometheus_text.h"

#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/ascii.h"

namespace spillway::telemetry {
namespace {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

// Takes the format at its word: no spare spaces, each family announced once, samples under it.
class StrictParser {
 public:
  // The first thing that is wrong, or nothing.
  std::optional<std::string> parse(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos) return "the last line does not end";
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (!(line.starts_with("# ") ? comment(line.substr(2)) : sample(line))) {
        return std::string(line);
      }
    }
    return std::nullopt;
  }
  const Sample* find(std::string_view name, const std::map<std::string, std::string>& labels) {
    for (const Sample& one : samples) {
      if (one.name == name && one.labels == labels) return &one;
    }
    return nullptr;
  }
  std::vector<Sample> samples;
  std::map<std::string, std::string> types;
  std::vector<std::string> order;

 private:
  static std::string take_name(std::string_view& text) {
    size_t size = 0;
    while (size < text.size() && (is_alpha(text[size]) || text[size] == '_' || text[size] == ':' ||
                                  (size > 0 && is_digit(text[size])))) {
      ++size;
    }
    std::string name(text.substr(0, size));
    text.remove_prefix(size);
    return name;
  }
  static bool take(std::string_view& text, std::string_view token) {
    if (!text.starts_with(token)) return false;
    text.remove_prefix(token.size());
    return true;
  }
  bool comment(std::string_view line) {
    if (take(line, "HELP ")) {
      family_ = take_name(line);
      order.push_back(family_);
      return !family_.empty() && line.starts_with(' ') && helped_.insert(family_).second;
    }
    if (!take(line, "TYPE ") || take_name(line) != family_ || !take(line, " ")) return false;
    const std::set<std::string_view> known = {"counter", "gauge", "histogram"};
    return known.contains(line) && types.emplace(family_, line).second;
  }
  static std::optional<std::string> take_value(std::string_view& line) {
    std::string value;
    if (!take(line, "=\"")) return std::nullopt;
    while (!line.empty() && line.front() != '"') {
      char c = line.front();
      line.remove_prefix(1);
      if (c == '\\') {
        if (line.empty()) return std::nullopt;
        c = line.front() == 'n' ? '\n' : line.front();
        if (c != '\n' && c != '\\' && c != '"') return std::nullopt;
        line.remove_prefix(1);
      }
      value += c;
    }
    if (!take(line, "\"")) return std::nullopt;
    return value;
  }
  bool sample(std::string_view line) {
    Sample one{.name = take_name(line), .labels = {}};
    std::string_view suffix = one.name;
    if (!take(suffix, family_) || !types.contains(family_)) return false;
    const std::set<std::string_view> parts = {"_bucket", "_sum", "_count"};
    if (types[family_] == "histogram" ? !parts.contains(suffix) : !suffix.empty()) return false;
    if (take(line, "{")) {
      do {
        const std::string name = take_name(line);
        const auto value = take_value(line);
        if (name.empty() || !value || !one.labels.emplace(name, *value).second) return false;
      } while (take(line, ","));
      if (!take(line, "}")) return false;
    }
    if (!take(line, " ") || find(one.name, one.labels) != nullptr) return false;
    take(line, "+");
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), one.value);
    if (error != std::errc{} || end != line.data() + line.size()) return false;
    samples.push_back(one);
    return true;
  }
  std::string family_;
  std::set<std::string> helped_;
};

TEST(PrometheusText, writes_a_counter_exactly) {
  const FamilySnapshot family{
      .spec = {"http_requests_total",
               "Requests \\ answered\nso far.",
               MetricType::counter,
               {"route", "status"}},
      .series = {{.labels = {"api", "2xx"}, .value = 1e9}, {.labels = {"a\"\\\n", ""}}}};
  EXPECT_EQ(prometheus_text({&family, 1}),
            "# HELP http_requests_total Requests \\\\ answered\\nso far.\n"
            "# TYPE http_requests_total counter\n"
            "http_requests_total{route=\"api\",status=\"2xx\"} 1000000000\n"
            "http_requests_total{route=\"a\\\"\\\\\\n\",status=\"\"} 0\n");
}

TEST(PrometheusText, writes_cumulative_buckets_with_sum_and_count) {
  const FamilySnapshot family{
      .spec = {"wait_seconds", "Wait.", MetricType::histogram, {}, {0.0005, 0.25, 10}},
      .series = {{.labels = {}, .value = 12.5, .buckets = {1, 2, 0, 4}}}};
  EXPECT_EQ(prometheus_text({&family, 1}),
            "# HELP wait_seconds Wait.\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{le=\"0.0005\"} 1\n"
            "wait_seconds_bucket{le=\"0.25\"} 3\n"
            "wait_seconds_bucket{le=\"10\"} 3\n"
            "wait_seconds_bucket{le=\"+Inf\"} 7\n"
            "wait_seconds_sum 12.5\n"
            "wait_seconds_count 7\n");
}

TEST(PrometheusText, writes_numbers_that_are_not_finite) {
  const FamilySnapshot family{
      .spec = {"level", "L.", MetricType::gauge, {"k"}},
      .series = {{.labels = {"a"}, .value = HUGE_VAL},
                 {.labels = {"b"}, .value = -HUGE_VAL},
                 {.labels = {"c"}, .value = std::numeric_limits<double>::quiet_NaN()},
                 {.labels = {"d"}, .value = -0.25},
                 {.labels = {"e"}, .value = 1e300}}};
  EXPECT_EQ(prometheus_text({&family, 1}),
            "# HELP level L.\n# TYPE level gauge\nlevel{k=\"a\"} +Inf\nlevel{k=\"b\"} -Inf\n"
            "level{k=\"c\"} NaN\nlevel{k=\"d\"} -0.25\nlevel{k=\"e\"} 1e+300\n");
}

TEST(PrometheusText, leaves_out_families_without_series) {
  const FamilySnapshot family{.spec = {"level", "L.", MetricType::gauge, {}}, .series = {}};
  EXPECT_EQ(prometheus_text({&family, 1}), "");
}

TEST(PrometheusText, is_read_back_by_a_strict_parser) {
  Registry registry(2);
  const std::string hostile = "a\"b\\c\nd{}=,\xff# \xe2\x82\xac";
  const std::string repaired = "a\"b\\c\nd{}=,\xef\xbf\xbd# \xe2\x82\xac";
  const Family& zulu =
      registry.family({"zulu_total", "Last in the alphabet.", MetricType::counter, {"route"}});
  const Family& alpha =
      registry.family({"alpha_seconds", "Time.", MetricType::histogram, {"route", "method"}});
  const Family& level = registry.family({"level", "A level.", MetricType::gauge, {}});
  registry.counter(zulu, {hostile}, 0).add(3);
  registry.counter(zulu, {"plain"}, 1).add(4);
  registry.histogram(alpha, {hostile, "GET"}, 0).observe(30ms);
  registry.histogram(alpha, {hostile, "GET"}, 1).observe(3h);
  registry.global_gauge(level, {}).set(-1.5);

  StrictParser parser;
  EXPECT_EQ(parser.parse(prometheus_text(registry.snapshot())), std::nullopt);
  EXPECT_EQ(parser.order, (std::vector<std::string>{"zulu_total", "alpha_seconds", "level"}));
  EXPECT_EQ(parser.types["alpha_seconds"], "histogram");
  EXPECT_EQ(parser.find("zulu_total", {{"route", repaired}})->value, 3);
  EXPECT_EQ(parser.find("zulu_total", {{"route", "plain"}})->value, 4);
  EXPECT_EQ(parser.find("level", {})->value, -1.5);
  std::map<std::string, std::string> labels = {{"route", repaired}, {"method", "GET"}};
  EXPECT_EQ(parser.find("alpha_seconds_count", labels)->value, 2);
  EXPECT_NEAR(parser.find("alpha_seconds_sum", labels)->value, 10800.03, 1e-6);
  double before = 0;
  for (const Sample& sample : parser.samples) {
    if (sample.name != "alpha_seconds_bucket") continue;
    EXPECT_GE(sample.value, before);
    before = sample.value;
  }
  labels["le"] = "60";
  EXPECT_EQ(parser.find("alpha_seconds_bucket", labels)->value, 1);
  labels["le"] = "+Inf";
  EXPECT_EQ(parser.find("alpha_seconds_bucket", labels)->value, 2);
}

}  // namespace
}  // namespace spillway::telemetry
