// telemetry/log_test.cc: one line per event, in two formats, and never a flood.
#include "telemetry/log.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway::telemetry {
namespace {

class Lines : public LogSink {
 public:
  void write_line(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class LogTest : public testing::Test {
 protected:
  Log make(LogLevel level, LogFormat format) {
    return Log(sink, [this] { return now; }, level, format);
  }
  Lines sink;
  WallTime now{std::chrono::sys_days(std::chrono::year(2025) / 3 / 1) + 12h + 345ms};
};

TEST_F(LogTest, writes_json_with_typed_fields) {
  Log log = make(LogLevel::info, LogFormat::json);
  log.warn("endpoint \"a\" ejected", {{"endpoint", "10.0.0.1:80"},
                                      {"errors", 5},
                                      {"largest", UINT64_MAX},
                                      {"panic", false},
                                      {"for", 1500us},
                                      {"detail", std::string_view("\x1b[2J\xff")}});
  ASSERT_EQ(sink.lines.size(), 1u);
  EXPECT_EQ(sink.lines[0],
            "{\"time\":\"2025-03-01T12:00:00.345Z\",\"level\":\"warn\","
            "\"message\":\"endpoint \\\"a\\\" ejected\",\"endpoint\":\"10.0.0.1:80\",\"errors\":5,"
            "\"largest\":18446744073709551615,\"panic\":false,\"for_ms\":1.500,"
            "\"detail\":\"\\u001b[2J\\ufffd\"}\n");
}

TEST_F(LogTest, writes_lines_for_people_that_cannot_drive_a_terminal) {
  Log log = make(LogLevel::info, LogFormat::human);
  log.error("bind failed\n", {{"at", "[::]:80"}, {"why", "Permission denied\x1b"}, {"took", 2ms}});
  EXPECT_EQ(sink.lines[0],
            "2025-03-01T12:00:00.345Z error bind failed\\n at=[::]:80 "
            "why=\"Permission denied\\u001b\" took=2.000ms\n");
}

TEST_F(LogTest, leaves_out_what_is_below_its_level) {
  Log log = make(LogLevel::warn, LogFormat::json);
  log.info("hidden");
  log.warn("shown");
  log.set_level(LogLevel::debug);
  log.debug("shown too");
  EXPECT_EQ(sink.lines.size(), 2u);
  EXPECT_EQ(log.lines_written(LogLevel::warn), 1u);
}

TEST_F(LogTest, suppresses_repetitions_and_says_how_many) {
  Log log = make(LogLevel::info, LogFormat::human);
  for (uint32_t i = 0; i < Log::repeats_max + 7; ++i) log.warn("again", {{"i", i}});
  log.warn("another");
  EXPECT_EQ(sink.lines.size(), Log::repeats_max + 1);
  EXPECT_EQ(log.lines_suppressed(), 7u);
  now += Log::repeats_window;
  log.warn("again");
  log.warn("again");
  EXPECT_TRUE(sink.lines[Log::repeats_max + 1].ends_with("again suppressed=7\n"));
  EXPECT_TRUE(sink.lines[Log::repeats_max + 2].ends_with("again\n"));
}

TEST_F(LogTest, is_not_silenced_by_a_clock_that_is_set_back) {
  Log log = make(LogLevel::info, LogFormat::human);
  for (uint32_t i = 0; i < Log::repeats_max; ++i) log.warn("again");
  now -= 1h;
  log.warn("again");
  EXPECT_EQ(sink.lines.size(), Log::repeats_max + 1);
}

TEST_F(LogTest, keeps_a_line_whole_when_fields_are_too_long) {
  Log log = make(LogLevel::info, LogFormat::json);
  const std::string huge(100'000, '\x01');
  log.info(huge, {{"a", huge}, {"b", huge}, {"c", huge}, {"d", huge}, {"e", 1}});
  EXPECT_LE(sink.lines[0].size(), Log::line_bytes_max);
  EXPECT_TRUE(sink.lines[0].ends_with("...\"}\n"));
}

}  // namespace
}  // namespace spillway::telemetry
