// server/config_test.cc: listeners, file modes and the access log as they are written.
#include "server/config.h"

#include <gtest/gtest.h>

namespace spillway::server {
namespace {

TEST(ListenAddress, writes_what_it_reads) {
  for (const char* text : {"http://0.0.0.0:8080", "http://[::]:8080", "http+unix:/run/app.sock"}) {
    ASSERT_TRUE(ListenAddress::parse(text)) << text;
    EXPECT_EQ(to_string(*ListenAddress::parse(text)), text);
  }
  EXPECT_EQ(to_string(*ListenAddress::parse("http://127.0.0.1/")), "http://127.0.0.1:80");
  EXPECT_EQ(to_string(*ListenAddress::parse("http://[::1]")), "http://[::1]:80");
}

TEST(ListenAddress, refuses_other_schemes_names_and_paths) {
  for (const char* text :
       {"", "127.0.0.1:80", "https://127.0.0.1:443", "http://localhost:80", "http://127.0.0.1:80/x",
        "http://::1", "http://127.0.0.1:99999", "http://", "http+unix:", "http+unix:app.sock",
        "http://unix:/run/app.sock", "ftp://127.0.0.1"}) {
    EXPECT_FALSE(ListenAddress::parse(text)) << text;
  }
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
