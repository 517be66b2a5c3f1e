// http/forwarded_test.cc: whose word counts about who the client is.
#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace spillway::http {
namespace {

struct Case {
  const char* peer;
  std::vector<std::pair<const char*, const char*>> fields;
};

class Forwarded : public testing::Test {
 protected:
  // Proxies in 10.0.0.0/8 and fd00::/8 are trusted.
  void resolve(const Case& test) {
    fields_.clear();
    for (const auto& [name, value] : test.fields) ASSERT_TRUE(fields_.add(name, value));
    const ForwardedInput input{.peer = *IpAddress::parse(test.peer),
                               .trusted = trusted_,
                               .scheme = "http",
                               .authority = "app.example:8080",
                               .with_forwarded = true};
    ASSERT_TRUE(resolve_forwarded(input, fields_, buffer_, output_));
  }
  std::string client() const { return to_string(output_.client); }

  std::vector<IpPrefix> trusted_{*IpPrefix::parse("10.0.0.0/8"), *IpPrefix::parse("fd00::/8")};
  std::array<char, 1024> buffer_;
  HeaderList fields_;
  ForwardedOutput output_;
};

TEST_F(Forwarded, a_stranger_is_not_believed) {
  resolve({"192.0.2.1",
           {{"X-Forwarded-For", "1.2.3.4"},
            {"X-Forwarded-Proto", "https"},
            {"X-Forwarded-Host", "evil.example"},
            {"Forwarded", "for=1.2.3.4"}}});
  EXPECT_EQ(client(), "192.0.2.1");
  EXPECT_EQ(output_.real_ip, "192.0.2.1");
  EXPECT_EQ(output_.x_forwarded_for, "192.0.2.1");
  EXPECT_EQ(output_.scheme, "http");
  EXPECT_EQ(output_.host, "app.example:8080");
  EXPECT_EQ(output_.forwarded, "for=192.0.2.1;host=\"app.example:8080\";proto=http");
}

TEST_F(Forwarded, a_trusted_proxy_is_believed_and_appended) {
  resolve({"10.0.0.1",
           {{"X-Forwarded-For", "1.2.3.4"},
            {"X-Forwarded-Proto", "HTTPS"},
            {"X-Forwarded-Host", "shop.example"}}});
  EXPECT_EQ(client(), "1.2.3.4");
  EXPECT_EQ(output_.x_forwarded_for, "1.2.3.4, 10.0.0.1");
  EXPECT_EQ(output_.scheme, "https");
  EXPECT_EQ(output_.host, "shop.example");
}

TEST_F(Forwarded, the_first_stranger_from_our_end_is_the_client) {
  const struct {
    const char* chain;
    const char* client;
  } cases[] = {
      {"6.6.6.6, 1.2.3.4", "1.2.3.4"},  // 6.6.6.6 is the client's own invention.
      {"6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"},
      {"10.0.0.7, 10.0.0.8", "10.0.0.7"},  // All ours: the farthest.
      {"1.2.3.4, unknown", "10.0.0.1"},    // Nobody to believe behind an unreadable entry.
      {"1.2.3.4, unknown, 10.0.0.9", "10.0.0.9"},
      {"1.2.3.4:5678", "1.2.3.4"},
      {"[2001:db8::1]:443", "2001:db8::1"},
      {"2001:db8::1", "2001:db8::1"},
      {"1.2.3.4,,", "1.2.3.4"},
      {"", "10.0.0.1"},
      {"1.2.3.4.5", "10.0.0.1"},
      {"::ffff:1.2.3.4", "1.2.3.4"},
  };
  for (const auto& [chain, client_ip] : cases) {
    resolve({"10.0.0.1", {{"X-Forwarded-For", chain}}});
    EXPECT_EQ(client(), client_ip) << chain;
  }
}

TEST_F(Forwarded, several_lines_are_one_list) {
  resolve({"10.0.0.1", {{"X-Forwarded-For", "6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4, 10.0.0.2"}}});
  EXPECT_EQ(client(), "1.2.3.4");
  EXPECT_EQ(output_.x_forwarded_for, "6.6.6.6, 1.2.3.4, 10.0.0.2, 10.0.0.1");
}

TEST_F(Forwarded, reads_rfc_7239_where_there_is_nothing_else) {
  resolve({"10.0.0.1", {{"Forwarded", "for=6.6.6.6, proto=https;For=\"[2001:db8::7]:80\";by=_x"}}});
  EXPECT_EQ(client(), "2001:db8::7");
  EXPECT_EQ(output_.forwarded,
            "for=6.6.6.6, proto=https;For=\"[2001:db8::7]:80\";by=_x, "
            "for=10.0.0.1;host=\"app.example:8080\";proto=http");
  resolve({"10.0.0.1", {{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4"}}});
  EXPECT_EQ(client(), "1.2.3.4");
}

TEST_F(Forwarded, ipv6_is_quoted) {
  resolve({"2001:db8::1", {}});
  EXPECT_EQ(output_.x_forwarded_for, "2001:db8::1");
  EXPECT_EQ(output_.forwarded, "for=\"[2001:db8::1]\";host=\"app.example:8080\";proto=http");
}

TEST_F(Forwarded, junk_from_a_trusted_proxy_is_not_sent_on_as_scheme_or_host) {
  resolve({"10.0.0.1", {{"X-Forwarded-Proto", "gopher"}, {"X-Forwarded-Host", "a b"}}});
  EXPECT_EQ(output_.scheme, "http");
  EXPECT_EQ(output_.host, "app.example:8080");
}

TEST_F(Forwarded, looks_at_no_more_than_its_limit_of_hops) {
  std::string chain = "1.2.3.4";
  for (size_t i = 0; i < forwarded_hops_max; ++i) chain += ", 10.0.0.2";
  resolve({"10.0.0.1", {{"X-Forwarded-For", chain.c_str()}}});
  EXPECT_EQ(client(), "10.0.0.2");
}

TEST_F(Forwarded, a_small_buffer_is_refused) {
  const ForwardedInput input{.peer = *IpAddress::parse("192.0.2.1")};
  std::array<char, 17> small;
  EXPECT_FALSE(resolve_forwarded(input, fields_, small, output_));
}

TEST_F(Forwarded, old_fields_are_removed_together) {
  for (const bool is_trusted : {false, true}) {
    fields_.clear();
    for (const char* name :
         {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port",
          "X-Forwarded-Proto", "X-Real-IP", "X_Forwarded_For", "x_forwarded-host", "X_Real_IP",
          "X-Forwarded-Prefix", "X_Forwarded_Prefix", "X-Forwarded", "X-Mine", "X_Mine"}) {
      ASSERT_TRUE(fields_.add(name, "a"));
    }
    remove_forwarded(fields_, is_trusted);
    std::string left;
    for (const HeaderField& field : fields_) left += std::string(field.name) + " ";
    EXPECT_EQ(left, is_trusted ? "X-Forwarded-Prefix X-Forwarded X-Mine X_Mine "
                               : "X-Forwarded X-Mine X_Mine ");
  }
}

}  // namespace
}  // namespace spillway::http
