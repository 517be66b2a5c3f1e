// server/config_test.cc: listeners, file modes and the access log as they are written.
#include "server/config.h"

#include <gtest/gtest.h>

namespace spillway::server {
namespace {

TEST(ListenAddress, writes_what_it_reads) {
  for (const char* text : {"http://0.0.0.0:8080", "http://[::]:8080", "http+unix:/run/app.sock",
                           "https://[::]:8443"}) {
    ASSERT_TRUE(ListenAddress::parse(text)) << text;
    EXPECT_EQ(to_string(*ListenAddress::parse(text)), text);
  }
  EXPECT_EQ(to_string(*ListenAddress::parse("http://127.0.0.1/")), "http://127.0.0.1:80");
  EXPECT_EQ(to_string(*ListenAddress::parse("http://[::1]")), "http://[::1]:80");
  EXPECT_EQ(to_string(*ListenAddress::parse("https://10.0.0.1")), "https://10.0.0.1:443");
  EXPECT_TRUE(ListenAddress::parse("https://10.0.0.1")->is_secure);
}

TEST(ListenAddress, refuses_other_schemes_names_and_paths) {
  for (const char* text :
       {"", "127.0.0.1:80", "https+unix:/run/app.sock", "http://localhost:80",
        "http://127.0.0.1:80/x", "http://::1", "http://127.0.0.1:99999", "http://",
        "http+unix:", "http+unix:app.sock", "http://unix:/run/app.sock", "ftp://127.0.0.1"}) {
    EXPECT_FALSE(ListenAddress::parse(text)) << text;
  }
}

TEST(HttpsRedirect, leads_to_the_https_listener_or_to_a_port) {
  EXPECT_EQ(HttpsRedirect::parse("https")->port, std::nullopt);
  EXPECT_EQ(HttpsRedirect::parse("https:443")->port, 443);
  EXPECT_EQ(to_string(*HttpsRedirect::parse("https:8443")), "https:8443");
  for (const char* text :
       {"", "http", "https:", "https:0", "https:99999", "https:1x", "https://a"}) {
    EXPECT_FALSE(HttpsRedirect::parse(text)) << text;
  }
}

TEST(HstsConfig, becomes_a_header) {
  EXPECT_EQ(HstsConfig::parse("365d")->value(), "max-age=31536000");
  const HstsConfig all{.max_age = std::chrono::hours(24), .subdomains = true, .preload = true};
  EXPECT_EQ(all.value(), "max-age=86400; includeSubDomains; preload");
  EXPECT_FALSE(HstsConfig::parse("long"));
}

TEST(FileMode, is_octal) {
  EXPECT_EQ(FileMode::parse("0660")->bits, 0660u);
  EXPECT_EQ(to_string(*FileMode::parse("600")), "0600");
  for (const char* text : {"", "66", "0888", "4755", "rw-rw----", "00660"}) {
    EXPECT_FALSE(FileMode::parse(text)) << text;
  }
}

TEST(AccessLogConfig, is_off_stdout_or_a_path) {
  EXPECT_TRUE(AccessLogConfig::parse("off")->is_off());
  EXPECT_TRUE(AccessLogConfig::parse("stdout")->is_stdout());
  EXPECT_EQ(AccessLogConfig::parse("./access.log")->to, "./access.log");
  EXPECT_FALSE(AccessLogConfig::parse("of"));
}

}  // namespace
}  // namespace spillway::server
