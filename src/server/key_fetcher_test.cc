// server/key_fetcher_test.cc: when an issuer is asked for its keys, and what its answers do.
#include "server/key_fetcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/loop_testing.h"
#include "runtime/peer_testing.h"

namespace spillway::server {
namespace {

using ::testing::HasSubstr;

constexpr Instant began = Instant::from_nanoseconds(1'000'000'000'000);
const identity::JwksConfig hourly{.url = "http://a/", .refresh = 1h, .retry = 30s};

TEST(FetchSchedule, begins_at_once_and_goes_on_after_refresh) {
  FetchSchedule schedule(hourly);
  EXPECT_LE(schedule.next(), began);
  schedule.fetched(began, std::nullopt);
  EXPECT_EQ(schedule.next(), began + 1h);
}

TEST(FetchSchedule, fetches_before_the_answer_is_too_old) {
  FetchSchedule schedule(hourly);
  schedule.fetched(began, 100s);
  EXPECT_EQ(schedule.next(), began + 80s);
  schedule.fetched(began, 24h);
  EXPECT_EQ(schedule.next(), began + 1h);  // Not later than the plan says.
  schedule.fetched(began, 0s);
  EXPECT_EQ(schedule.next(), began + 30s);  // Not sooner either.
}

TEST(FetchSchedule, follows_a_plan_that_changes_its_times) {
  FetchSchedule schedule(hourly);
  schedule.fetched(began, std::nullopt);
  const identity::JwksConfig often{.url = "http://a/", .refresh = 60s, .retry = 10s};
  schedule.follow(began + 1s, often);
  EXPECT_EQ(schedule.next(), began + 61s);
  schedule.wanted();
  EXPECT_EQ(schedule.next(), began + 11s);
  schedule.fetched(began + 11s, std::nullopt);
  schedule.follow(began + 12s, hourly);  // What was meant sooner stays so.
  EXPECT_EQ(schedule.next(), began + 71s);
}

TEST(FetchSchedule, fetches_sooner_when_a_key_is_wanted_but_not_too_often) {
  FetchSchedule schedule(hourly);
  schedule.fetched(began, std::nullopt);
  schedule.wanted();
  EXPECT_EQ(schedule.next(), began + 30s);
  schedule.failed(began + 30s);
  schedule.wanted();
  EXPECT_EQ(schedule.next(), began + 60s);
}

TEST(MaxAge, is_read_from_cache_control) {
  EXPECT_EQ(max_age_of("public, max-age=300"), Duration(300s));
  EXPECT_EQ(max_age_of("Max-Age=0"), Duration(0s));
  EXPECT_EQ(max_age_of("max-age=300, no-store"), Duration(0s));
  EXPECT_EQ(max_age_of("no-cache"), Duration(0s));
  EXPECT_EQ(max_age_of("max-age=x"), Duration(0s));
  EXPECT_EQ(max_age_of("public"), std::nullopt);
  EXPECT_EQ(max_age_of(""), std::nullopt);
}

class NoLines final : public telemetry::LogSink {
 public:
  void write_line(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class KeyFetcherTest : public runtime::PeerTest {
 public:
  KeyFetcherTest() { start(fetcher.run()); }
  ~KeyFetcherTest() override {
    fetcher.stop();
    finish();
  }
  void follow(Duration retry = 30s, std::optional<std::string> ca = {}) {
    fetcher.follow(identity::JwksConfig{
        .url = "http://localhost:" + std::to_string(issuer.address().port) + "/keys?a=b",
        .retry = retry,
        .ca = std::move(ca)});
  }
  std::string answer(std::string_view bytes) {
    runtime::Peer peer = issuer.accept();
    const std::string head = peer.take_head();
    peer.send(bytes);
    EXPECT_TRUE(peer.sees_end());
    return head;
  }
  static std::string keys_answer(std::string_view id) {
    const std::string body = R"({"keys":[{"kty":"OKP","crv":"Ed25519","kid":")" + std::string(id) +
                             R"(","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  void expect_keys(size_t sets, std::string_view id) {
    ASSERT_TRUE(runtime::turn_until(loop, [&] { return delivered.size() == sets; }));
    EXPECT_EQ(delivered.back()->keys()[0]->id(), id);
  }

  runtime::PeerListener issuer{loop};
  runtime::BlockingPool pool{{.threads = 1}};
  runtime::Resolver resolver{pool};
  NoLines lines;
  telemetry::Log log{lines, [] { return WallTime{}; }, telemetry::LogLevel::info,
                     telemetry::LogFormat::json};
  telemetry::Registry registry{1};
  std::vector<std::shared_ptr<const identity::KeySet>> delivered;
  KeyFetcher fetcher{loop, resolver, log, registry,
                     [this](std::shared_ptr<const identity::KeySet> keys) {
                       delivered.push_back(std::move(keys));
                     }};
};

TEST_F(KeyFetcherTest, fetches_at_the_start_and_when_a_key_is_wanted) {
  follow(1ms);
  const std::string head = answer(keys_answer("one"));
  EXPECT_THAT(head, HasSubstr("GET /keys?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("host: localhost:"));
  expect_keys(1, "one");
  fetcher.want();
  answer(keys_answer("two"));
  expect_keys(2, "two");
}

TEST_F(KeyFetcherTest, keeps_what_it_has_when_a_fetch_fails) {
  follow(1ms);
  for (const std::string& bad :
       {std::string("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), std::string("?\r\n\r\n"),
        std::string("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")}) {
    answer(bad);  // Each is followed by another try.
  }
  EXPECT_TRUE(delivered.empty());
  answer(keys_answer("one"));
  expect_keys(1, "one");
  EXPECT_THAT(lines.lines.front(), HasSubstr("answered 500"));
}

TEST_F(KeyFetcherTest, asks_again_at_once_when_others_are_trusted) {
  follow();
  answer(keys_answer("one"));
  expect_keys(1, "one");
  follow();  // The same plan, read again.
  EXPECT_TRUE(issuer.stays_silent());
  follow(30s, "other.pem");
  answer(keys_answer("two"));
  expect_keys(2, "two");
}

TEST_F(KeyFetcherTest, rests_while_the_plan_names_no_issuer) {
  fetcher.follow(std::nullopt);
  fetcher.want();
  turn();
  follow();
  answer(keys_answer("one"));
  expect_keys(1, "one");
  fetcher.follow(std::nullopt);
  turn();
}

}  // namespace
}  // namespace spillway::server
