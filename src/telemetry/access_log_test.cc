// telemetry/access_log_test.cc: valid JSON whatever comes in, and no secrets in it.
#include "telemetry/access_log.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/random.h"

namespace spillway::telemetry {
namespace {

std::string line_of(const AccessRecord& record) {
  std::array<char, access_line_bytes_max> memory;
  return {memory.data(), format_access_line(record, memory)};
}

std::string query_of(std::string_view query) {
  const std::string line = line_of({.query = query});
  const std::string key = "\"query\":\"";
  const size_t begin = line.find(key) + key.size();
  return line.substr(begin, line.find(",\"status\"") - 1 - begin);
}

// True if the line is one flat JSON object of strings and numbers with a newline behind it.
bool is_flat_object(std::string_view line) {
  if (!line.starts_with('{') || !line.ends_with("}\n")) return false;
  line = line.substr(1, line.size() - 3);
  bool in_string = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const auto c = static_cast<unsigned char>(line[i]);
    if (c < 0x20 || c == 0x7f) return false;
    if (in_string && c == '\\') {
      const bool known = std::string_view("\"\\nrtu").contains(line[++i]);
      if (!known || (line[i] == 'u' && line.substr(i + 1, 4).find('"') != std::string_view::npos)) {
        return false;
      }
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && !std::string_view(":,.0123456789").contains(line[i])) {
      return false;
    }
  }
  return !in_string;
}

TEST(AccessLog, writes_all_fields_in_a_fixed_order) {
  const AccessRecord record{
      .time = WallTime(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29) + 23h + 59min + 59s +
                       999'999us),
      .method = "GET",
      .protocol = "HTTP/2",
      .scheme = "https",
      .host = "example.com",
      .path = "/api/bids",
      .query = "sort=hot",
      .route = "/api/*",
      .service = "api",
      .endpoint = "10.0.0.1:4010",
      .status = 200,
      .bytes_in = 12,
      .bytes_out = 3456,
      .duration = 12'345'678ns,
      .upstream_duration = 11ms,
      .retries = 1,
      .hedges = 1,
      .client_ip = "192.0.2.7",
      .user_agent = "curl/8",
      .request_id = "r1",
      .trace_id = "t1",
      .error = "io"};
  EXPECT_EQ(
      line_of(record),
      "{\"time\":\"2024-02-29T23:59:59.999Z\",\"method\":\"GET\",\"protocol\":\"HTTP/2\","
      "\"scheme\":\"https\",\"host\":\"example.com\",\"path\":\"/api/"
      "bids\",\"query\":\"sort=hot\",\"route\":\"/api/*\","
      "\"service\":\"api\",\"endpoint\":\"10.0.0.1:4010\",\"status\":200,\"bytes_in\":12,"
      "\"bytes_out\":3456,\"duration_ms\":12.345,\"upstream_ms\":11.000,\"retries\":1,"
      "\"hedges\":1,\"client_ip\":\"192.0.2.7\",\"user_agent\":\"curl/8\",\"request_id\":\"r1\","
      "\"trace_id\":\"t1\",\"error\":\"io\"}\n");
}

TEST(AccessLog, leaves_out_what_is_not_known) {
  EXPECT_EQ(line_of({}),
            "{\"time\":\"1970-01-01T00:00:00.000Z\",\"status\":0,\"bytes_in\":0,\"bytes_out\":0,"
            "\"duration_ms\":0.000,\"retries\":0}\n");
}

TEST(AccessLog, redacts_secrets_in_the_query) {
  EXPECT_EQ(query_of("a=1&token=abc&b=2"), "a=1&token=redacted&b=2");
  EXPECT_EQ(query_of("PassWord=x;y=z"), "PassWord=redacted;y=z");
  EXPECT_EQ(query_of("user[password]=x&token[]=y"), "user[password]=redacted&token[]=redacted");
  EXPECT_EQ(query_of("user%5Bp%61ssword%5D=x"), "user%5Bp%61ssword%5D=redacted");
  EXPECT_EQ(query_of("token%5b%5d=x"), "token%5b%5d=redacted");
  EXPECT_EQ(query_of("X-Amz-Signature=x"), "X-Amz-Signature=redacted");
  EXPECT_EQ(query_of("tokens=3&token&=&monkey=1"), "tokens=3&token&=&monkey=1");
  EXPECT_EQ(query_of("token=a=b&c"), "token=redacted&c");
  EXPECT_EQ(query_of(std::string(5000, 'a') + "=1&token=abc").find("abc"), std::string::npos);
  EXPECT_TRUE(is_secret_parameter(std::string(500, 'a') + "[password]"));
  EXPECT_FALSE(is_secret_parameter(""));
}

TEST(AccessLog, stays_one_valid_line_whatever_the_bytes) {
  Random random(11);
  std::array<std::string, 14> texts;
  for (int round = 0; round < 300; ++round) {
    for (std::string& text : texts) {
      text.resize(random.below(random.chance(0.1) ? 20'000 : 40));
      for (char& c : text) {
        c = random.chance(0.2) ? "&=;[]%\"\\"[random.below(8)]
                               : static_cast<char>(random.below(256));
      }
    }
    const AccessRecord record{.time = WallTime(Duration(static_cast<int64_t>(random.next()))),
                              .method = texts[0],
                              .host = texts[1],
                              .path = texts[2],
                              .query = texts[3],
                              .route = texts[4],
                              .service = texts[5],
                              .endpoint = texts[6],
                              .status = 65535,
                              .bytes_in = random.next(),
                              .bytes_out = random.next(),
                              .duration = Duration(static_cast<int64_t>(random.next())),
                              .upstream_duration = Duration(INT64_MAX),
                              .retries = UINT32_MAX,
                              .hedges = UINT32_MAX,
                              .client_ip = texts[7],
                              .user_agent = texts[8],
                              .request_id = texts[9],
                              .trace_id = texts[10],
                              .error = texts[11]};
    const std::string line = line_of(record);
    ASSERT_TRUE(is_flat_object(line)) << line;
  }
}

TEST(AccessLog, cuts_each_field_at_its_own_limit) {
  const std::string huge(1 << 20, '\x01');
  const AccessRecord record{.method = huge,
                            .protocol = huge,
                            .scheme = huge,
                            .host = huge,
                            .path = huge,
                            .query = huge,
                            .route = huge,
                            .service = huge,
                            .endpoint = huge,
                            .bytes_in = UINT64_MAX,
                            .bytes_out = UINT64_MAX,
                            .duration = Duration(INT64_MAX),
                            .upstream_duration = Duration(INT64_MAX),
                            .retries = UINT32_MAX,
                            .hedges = UINT32_MAX,
                            .client_ip = huge,
                            .user_agent = huge,
                            .request_id = huge,
                            .trace_id = huge,
                            .error = huge};
  const std::string line = line_of(record);
  EXPECT_TRUE(is_flat_object(line));
  EXPECT_TRUE(line.ends_with("...\"}\n"));
}

}  // namespace
}  // namespace spillway::telemetry
