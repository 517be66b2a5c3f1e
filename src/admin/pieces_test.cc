// admin/pieces_test.cc: quantiles, rates, the ring of lines, JSON there and back, parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/access_guard.h"
#include "admin/json.h"
#include "admin/latency.h"
#include "admin/log_ring.h"
#include "admin/query_parameters.h"
#include "admin/traffic_meter.h"
#include "runtime/epoll_driver.h"

namespace spillway::admin {
namespace {

using telemetry::MetricType;
using testing::ElementsAre;

TEST(Quantile, lies_between_the_bounds_of_its_bucket) {
  const double bounds[] = {1, 2, 4};
  const uint64_t counts[] = {10, 10, 0, 0};
  EXPECT_DOUBLE_EQ(quantile(bounds, counts, 0.5), 1);
  EXPECT_DOUBLE_EQ(quantile(bounds, counts, 0.25), 0.5);
  EXPECT_DOUBLE_EQ(quantile(bounds, counts, 0.75), 1.5);
  EXPECT_DOUBLE_EQ(quantile(bounds, counts, 1), 2);
}

TEST(Quantile, is_the_last_bound_for_what_lies_beyond_and_0_for_nothing) {
  const double bounds[] = {1, 2};
  const uint64_t beyond[] = {0, 0, 5};
  const uint64_t nothing[] = {0, 0, 0};
  EXPECT_DOUBLE_EQ(quantile(bounds, beyond, 0.5), 2);
  EXPECT_DOUBLE_EQ(quantile(bounds, nothing, 0.5), 0);
}

class TrafficMeterTest : public testing::Test {
 protected:
  void read(double seconds) {
    meter_.read(registry_.snapshot(),
                Instant::from_nanoseconds(static_cast<int64_t>(seconds * 1e9)));
  }
  telemetry::Registry registry_{1};
  telemetry::Counter requests_ =
      registry_.counter(registry_.family({"spillway_client_requests_total", "R."}), {}, 0);
  const telemetry::Family& answers_ = registry_.family(
      {"spillway_http_requests_total", "A.", MetricType::counter, {"status_class"}});
  telemetry::Counter good_ = registry_.counter(answers_, {"2xx"}, 0);
  telemetry::Counter bad_ = registry_.counter(answers_, {"5xx"}, 0);
  const telemetry::Family& durations_ = registry_.family(
      {"http_request_duration_seconds", "D.", MetricType::histogram, {"status_code"}});
  telemetry::Histogram duration_ = registry_.histogram(durations_, {"200"}, 0);
  telemetry::Histogram tunnel_ = registry_.histogram(durations_, {"101"}, 0);
  TrafficMeter meter_;
};

TEST_F(TrafficMeterTest, counts_over_the_last_ten_seconds) {
  read(0);
  EXPECT_EQ(meter_.traffic().requests_per_second, 0);
  for (int second = 2; second <= 40; second += 2) {
    requests_.add(second <= 30 ? 1000 : 20);
    good_.add(15);
    bad_.add(second <= 30 ? 15 : 5);
    read(second);
  }
  const TrafficStatus traffic = meter_.traffic();
  EXPECT_EQ(traffic.requests, 15u * 1000 + 5 * 20);
  EXPECT_DOUBLE_EQ(traffic.requests_per_second, 10);
  EXPECT_DOUBLE_EQ(traffic.error_share, 0.25);
}

TEST_F(TrafficMeterTest, leaves_tunnels_out_of_the_latency) {
  read(0);
  for (int i = 0; i < 100; ++i) duration_.observe(0.002);
  for (int i = 0; i < 100; ++i) tunnel_.observe(50.0);
  read(2);
  const auto latency = meter_.traffic().latency;
  ASSERT_TRUE(latency);
  EXPECT_GT(latency->p50, 1ms);
  EXPECT_LE(latency->p99, 2500us);
  for (int second = 4; second <= 80; second += 2) read(second);
  EXPECT_FALSE(meter_.traffic().latency) << "a minute without requests";
}

class LogRingTest : public testing::Test {
 protected:
  static std::vector<std::string> texts(const std::vector<LogLine>& lines) {
    std::vector<std::string> result;
    for (const LogLine& line : lines) result.push_back(line.text);
    return result;
  }
  runtime::Loop loop_{*runtime::make_epoll_driver(), 0, 1};
  LogRing ring_{loop_};
};

TEST_F(LogRingTest, keeps_the_newest_lines_within_its_bounds) {
  for (size_t i = 0; i < LogRing::lines_max + 5; ++i) ring_.append("a", false, "x\r\n");
  EXPECT_EQ(ring_.last(LogRing::lines_max * 2, "").size(), LogRing::lines_max);
  EXPECT_EQ(ring_.last(1, "")[0].text, "x");
  for (int i = 0; i < 100; ++i) ring_.append("a", false, std::string(50'000, 'y'));
  const auto lines = ring_.last(LogRing::lines_max, "");
  EXPECT_LE(lines.size() * LogRing::line_bytes_max, LogRing::bytes_max);
  EXPECT_EQ(lines.back().text.size(), LogRing::line_bytes_max);
}

TEST_F(LogRingTest, gives_each_line_once_to_who_follows) {
  ring_.append("web.1", false, "one");
  uint64_t after = ring_.newest();
  ring_.append("webhook.1", false, "two");
  ring_.append("web.2", false, "three");
  EXPECT_THAT(texts(ring_.next(after, 10, "web")), ElementsAre("three"));
  EXPECT_TRUE(ring_.next(after, 10, "web").empty());
  EXPECT_EQ(after, ring_.newest());
}

TEST(Json, gives_back_the_status_it_was_given) {
  InstanceStatus status{.name = "shop",
                        .version = "1",
                        .pid = 42,
                        .uptime = 90s,
                        .workers = 2,
                        .is_draining = true,
                        .listeners = {{"http://0.0.0.0:0", "http://0.0.0.0:8080"}},
                        .traffic = {.requests = 5, .latency = LatencyStatus{1ms, 2ms, 3ms}}};
  EndpointStatus endpoint{.name = "web.1", .state = "healthy", .last_error_ago = 3s};
  endpoint.breaker = "open";
  endpoint.replica = ReplicaStatus{.state = "ready", .pid = 99, .cpu_share = 0.25};
  status.services.push_back({.name = "web", .concurrency = 3, .endpoints = {endpoint}});
  const auto json = parse_json(text_of(to_json(status)));
  ASSERT_TRUE(json);
  EXPECT_EQ(status_from_json(*json), status);
}

TEST(Json, keeps_defaults_where_members_are_missing_or_wrong) {
  const auto json = parse_json(R"({"name":7,"pid":1e300,"workers":-3,"uptime_seconds":1e99,
      "services":[null,{"name":"web","endpoints":{}}],"traffic":[],"unheard_of":{}})");
  ASSERT_TRUE(json);
  const InstanceStatus status = status_from_json(*json);
  EXPECT_EQ(status.name, "");
  EXPECT_EQ(status.pid, 0);
  EXPECT_EQ(status.workers, 0u);
  ASSERT_EQ(status.services.size(), 2u);
  EXPECT_EQ(status.services[1].name, "web");
  EXPECT_EQ(status_from_json(*parse_json("[]")), InstanceStatus{});
}

TEST(Json, replaces_bytes_that_are_no_text) {
  LogLine line{.source = "web.1", .text = "caf\xe9"};
  EXPECT_THAT(text_of(to_json(line)), testing::HasSubstr("caf\xef\xbf\xbd"));
}

TEST(Json, writes_civil_time) {
  EXPECT_EQ(time_text(WallTime(1'700'000'000'123'456'789ns)), "2023-11-14T22:13:20.123Z");
}

TEST(QueryParameters, come_back_as_they_were) {
  const std::string text = "a b&c=d%/\xc3\xa9";
  const auto parameters = QueryParameters::parse("x=" + encode_parameter(text) + "&y&x=2");
  ASSERT_TRUE(parameters);
  EXPECT_EQ(parameters->find("x"), text);
  EXPECT_EQ(parameters->find("y"), "");
  EXPECT_EQ(parameters->find("z"), std::nullopt);
  EXPECT_THAT(parameters->all("x"), ElementsAre(text, "2"));
}

TEST(QueryParameters, refuse_broken_escapes_controls_and_floods) {
  for (const char* query : {"a=%", "a=%4", "a=%zz", "%00=1", "a=%0a"}) {
    EXPECT_FALSE(QueryParameters::parse(query)) << query;
  }
  std::string flood;
  for (int i = 0; i < 200; ++i) flood += "a=1&";
  EXPECT_FALSE(QueryParameters::parse(flood));
}

TEST(AccessGuard, compares_tokens_whole) {
  EXPECT_TRUE(equals_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equals_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equals_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equals_in_constant_time("", "a"));
}

TEST(AccessGuard, takes_a_token_from_clients_beyond_this_machine) {
  const AccessRules rules{.token = "secret", .at = *SocketAddress::parse("10.0.0.1:9901")};
  http::RequestHead request;
  request.host = "10.0.0.1";
  const auto far = *SocketAddress::parse("10.0.0.9:5000");
  const auto near = *SocketAddress::parse("127.0.0.1:5000");
  EXPECT_EQ(check_access(rules, request, far, false)->status, 401);
  EXPECT_FALSE(check_access(rules, request, near, false));
  ASSERT_TRUE(request.fields.add(http::Field::authorization, "bearer  secret"));
  EXPECT_FALSE(check_access(rules, request, far, true));
}

}  // namespace
}  // namespace spillway::admin
