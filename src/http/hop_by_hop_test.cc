// http/hop_by_hop_test.cc: what stays on one connection, and what a client cannot make us drop.
#include "http/hop_by_hop.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace spillway::http {
namespace {

using Lines = std::initializer_list<std::pair<const char*, const char*>>;

// The names that are left, joined by spaces.
std::string left_of(Lines lines, const HopByHopKeep& keep = {}) {
  HeaderList fields;
  for (const auto& [name, value] : lines) EXPECT_TRUE(fields.add(name, value));
  if (!remove_hop_by_hop(fields, keep)) return "refused";
  std::string names;
  for (const HeaderField& field : fields) {
    names.append(names.empty() ? "" : " ").append(field.name);
  }
  return names;
}

TEST(HopByHop, fields_of_one_connection_stay_behind) {
  EXPECT_EQ(left_of({{"Host", "a"},
                     {"Connection", "keep-alive"},
                     {"Keep-Alive", "timeout=5"},
                     {"Proxy-Connection", "close"},
                     {"Transfer-Encoding", "chunked"},
                     {"Upgrade", "websocket"},
                     {"Content-Length", "5"},
                     {"TE", "gzip"},
                     {"Accept", "*/*"}}),
            "Host Accept");
}

TEST(HopByHop, connection_takes_the_fields_that_it_names) {
  EXPECT_EQ(left_of({{"Connection", "close, X-Secret"},
                     {"connection", "x-other"},
                     {"x-secret", "1"},
                     {"X-OTHER", "1"},
                     {"X-Third", "1"}}),
            "X-Third");
}

TEST(HopByHop, connection_cannot_strip_what_others_rely_on) {
  EXPECT_EQ(left_of({{"Connection", "Host, Authorization, Cookie, X-Forwarded-For, Content-Type"},
                     {"Host", "a"},
                     {"Authorization", "b"},
                     {"Cookie", "c"},
                     {"X-Forwarded-For", "d"},
                     {"Content-Type", "e"}}),
            "Host Authorization Cookie X-Forwarded-For Content-Type");
  EXPECT_EQ(left_of({{"Connection", "content-length"}, {"Content-Length", "5"}},
                    {.content_length = true}),
            "Content-Length");
}

TEST(HopByHop, a_granted_upgrade_travels_on) {
  EXPECT_EQ(left_of({{"Connection", "Upgrade"}, {"Upgrade", "websocket"}}, {.upgrade = true}),
            "Upgrade");
}

TEST(HopByHop, te_is_reduced_to_trailers) {
  HeaderList fields;
  ASSERT_TRUE(fields.add("TE", "gzip, Trailers"));
  ASSERT_TRUE(remove_hop_by_hop(fields));
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields[0].value, "trailers");
}

TEST(HopByHop, endless_connection_options_are_refused) {
  std::string names = "a";
  for (size_t i = 1; i < connection_options_max; ++i) names += ",a";
  EXPECT_EQ(left_of({{"Connection", names.c_str()}, {"A", "1"}}), "");
  names += ",a";
  EXPECT_EQ(left_of({{"Connection", names.c_str()}}), "refused");
}

}  // namespace
}  // namespace spillway::http
