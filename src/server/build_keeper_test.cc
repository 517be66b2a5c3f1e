// server/build_keeper_test.cc: what of a build outlives it, and for how long.
#include "server/build_keeper.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace spillway::server {
namespace {

namespace fs = std::filesystem;

class BuildKeeperTest : public ::testing::Test {
 public:
  ~BuildKeeperTest() override { fs::remove_all(base); }

 protected:
  BuildKeeperTest() {
    std::string name = fs::temp_directory_path() / "spillway-keeper-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    fs::create_directories(base / "dist/assets");
    build = {.folder = base / "dist",
             .kept_in = base / "kept",
             .keep = 60s,
             .prefix = "/",
             .files = {.immutable = {"/assets/*"}}};
  }
  void write(const std::string& path, const std::string& text) {
    std::ofstream(base / path) << text;
  }
  std::string read(const std::string& path) {
    std::ifstream file(base / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  KeptFiles keep() {
    auto kept = keep_build(build, seen, now);
    EXPECT_TRUE(kept) << kept.error().detail;
    seen = kept->last_seen;
    return *kept;
  }

  fs::path base;
  KeptBuild build;
  LastSeen seen;
  Instant now = Instant() + 1000s;
};

TEST_F(BuildKeeperTest, keeps_what_never_changes_and_nothing_else) {
  write("dist/index.html", "page");
  write("dist/app.0123abcd.js", "code");
  write("dist/assets/logo.svg", "logo");
  EXPECT_EQ(keep().files, 2u);
  EXPECT_EQ(read("kept/app.0123abcd.js"), "code");
  EXPECT_EQ(read("kept/assets/logo.svg"), "logo");
  EXPECT_FALSE(fs::exists(base / "kept/index.html"));
  EXPECT_TRUE(fs::equivalent(base / "kept/app.0123abcd.js", base / "dist/app.0123abcd.js"));
}

TEST_F(BuildKeeperTest, lets_go_of_it_when_its_time_is_over) {
  write("dist/app.0123abcd.js", "code");
  keep();
  fs::remove_all(base / "dist");
  fs::create_directories(base / "dist");
  write("dist/app.4567abcd.js", "next");
  now = now + 60s;
  EXPECT_EQ(keep().files, 2u);
  EXPECT_EQ(read("kept/app.0123abcd.js"), "code");
  now = now + 1s;
  EXPECT_EQ(keep().files, 1u);
  EXPECT_FALSE(fs::exists(base / "kept/app.0123abcd.js"));
  EXPECT_EQ(read("kept/app.4567abcd.js"), "next");
}

TEST_F(BuildKeeperTest, what_was_kept_before_it_came_has_its_time_anew) {
  fs::create_directories(base / "kept");
  write("kept/old.0123abcd.js", "old");
  EXPECT_EQ(keep().files, 1u);
  now = now + 61s;
  EXPECT_EQ(keep().files, 0u);
}

TEST_F(BuildKeeperTest, follows_a_file_that_changed_all_the_same) {
  write("dist/app.0123abcd.js", "code");
  keep();
  fs::remove(base / "dist/app.0123abcd.js");
  write("dist/app.0123abcd.js", "other code");
  keep();
  EXPECT_EQ(read("kept/app.0123abcd.js"), "other code");
}

TEST_F(BuildKeeperTest, stops_between_two_files) {
  write("dist/app.0123abcd.js", "code");
  std::stop_source stop;
  stop.request_stop();
  const auto kept = keep_build(build, {}, now, stop.get_token());
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Error::Code::cancelled);
  EXPECT_FALSE(fs::exists(base / "kept"));
}

TEST_F(BuildKeeperTest, a_build_that_is_not_there_loses_nothing) {
  write("dist/app.0123abcd.js", "code");
  keep();
  fs::remove_all(base / "dist");
  EXPECT_EQ(keep().files, 1u);
}

}  // namespace
}  // namespace spillway::server
