// plan/names_test.cc: which name was probably meant.
#include "plan/names.h"

#include <gtest/gtest.h>

#include <array>

namespace spillway::plan {
namespace {

TEST(Names, count_letters_changed_and_neighbours_swapped) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("wait", "wiat"), 1u);
  EXPECT_EQ(edit_distance("listen", "Listen"), 0u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance(std::string(5000, 'a'), std::string(5000, 'b')), 64u);
}

TEST(Names, suggest_only_what_is_near) {
  constexpr std::array<std::string_view, 4> known{"listen", "services", "run", "env"};
  EXPECT_EQ(nearest("listne", known), "listen");
  EXPECT_EQ(nearest("service", known), "services");
  EXPECT_EQ(nearest("rum", known), "run");
  EXPECT_FALSE(nearest("cache", known));
  EXPECT_FALSE(nearest("", known));
  EXPECT_FALSE(nearest("x", known));
}

}  // namespace
}  // namespace spillway::plan
