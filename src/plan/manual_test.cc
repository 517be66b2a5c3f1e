// plan/manual_test.cc: fields explain themselves, and the committed pages are the generated ones.
#include "plan/manual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "plan/entries.h"
#include "plan/schema.h"

namespace spillway::plan {
namespace {

using testing::HasSubstr;

// With UPDATE_DOCS=1 in the environment the page is written instead of compared.
void expect_page(const std::string& name, const std::string& generated) {
  const std::string path = std::string(SPILLWAY_SOURCE_DIR "/docs/") + name;
  if (std::getenv("UPDATE_DOCS") != nullptr) {
    std::ofstream(path, std::ios::binary) << generated;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string committed{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(committed == generated)
      << path << " is not what the structs say; run plan_test with UPDATE_DOCS=1";
}

TEST(Manual, is_the_committed_page) { expect_page("plan_reference.md", plan_reference()); }

TEST(Manual, schema_is_the_committed_file) { expect_page("spillway.schema.json", json_schema()); }

TEST(Manual, explains_a_field_of_a_named_service) {
  const auto text = explain_field("services.api.queue.wait");
  ASSERT_TRUE(text) << text.error().detail;
  EXPECT_EQ(*text,
            "services.NAME.queue.wait\n"
            "  A request that has waited this long is answered 503.\n"
            "\n"
            "  Value    a duration\n"
            "  Default  1s\n"
            "  Range    1ms to 5m\n"
            "  Change   live, by `spillway reload`\n");
}

TEST(Manual, explains_lists_structs_and_what_needs_an_upgrade) {
  EXPECT_THAT(*explain_field("routes[2].path"), HasSubstr("Default  /*\n"));
  EXPECT_THAT(*explain_field("routes.path"), HasSubstr("routes[].path\n"));
  EXPECT_THAT(*explain_field("services.api"), HasSubstr("Fields   run, env, cwd"));
  EXPECT_THAT(*explain_field("admin"), HasSubstr("needs `spillway upgrade`"));
  EXPECT_THAT(*explain_field("listen.mode"), HasSubstr("needs `spillway upgrade`"));
  EXPECT_THAT(*explain_field(""), HasSubstr("Fields   name, user"));
}

TEST(Manual, explains_a_field_by_its_end_alone) {
  EXPECT_THAT(*explain_field("queue.wait"), HasSubstr("services.NAME.queue.wait\n"));
  const auto several = explain_field("path");
  ASSERT_FALSE(several);
  EXPECT_THAT(several.error().detail, HasSubstr("routes[].path"));
}

TEST(Manual, names_the_nearest_field_on_a_miss) {
  EXPECT_EQ(explain_field("services.api.queue.wiat").error().detail,
            "\"wiat\" is not a field of services.NAME.queue; did you mean \"wait\"?");
  EXPECT_THAT(explain_field("events.bus").error().detail,
              HasSubstr("\"events\" is not a field of the plan; known: name, user"));
  EXPECT_FALSE(explain_field("a..b"));
  EXPECT_FALSE(explain_field("services."));
}

TEST(Manual, says_something_of_every_field) {
  for (const Entry& entry : all_entries()) {
    EXPECT_FALSE(entry.note.doc.empty()) << entry.path;
    EXPECT_TRUE(entry.note.doc.ends_with('.')) << entry.path;
  }
}

}  // namespace
}  // namespace spillway::plan
