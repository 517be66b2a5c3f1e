// deploy/instance_test.cc: instances are published privately and found by their name.
#include "deploy/instance.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

namespace spillway::deploy {
namespace {

class InstanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "spillway_instance_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    directory_ = root_ + "/state/spillway";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  static Instance named(const std::string& name, pid_t pid = ::getpid()) {
    return {.name = name,
            .admin = "http://127.0.0.1:9901",
            .token = "secret",
            .pid = pid,
            .plan = "/srv/spillway.yaml"};
  }
  static pid_t dead_pid() {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    ::waitpid(pid, nullptr, 0);
    return pid;
  }

  std::string root_;
  std::string directory_;
};

TEST_F(InstanceTest, is_found_with_its_token_and_removed_at_the_end) {
  {
    auto file = InstanceFile::publish(named("shop"), directory_);
    ASSERT_TRUE(file.has_value());
    struct stat status{};
    ASSERT_EQ(::stat(file->path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    const auto found = find_instance(std::nullopt, {directory_});
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->token, "secret");
    EXPECT_EQ(found->plan, "/srv/spillway.yaml");
    EXPECT_EQ(found->pid, ::getpid());
  }
  EXPECT_EQ(find_instance(std::nullopt, {directory_}).error().code, Error::Code::not_found);
}

TEST_F(InstanceTest, several_have_to_be_named) {
  auto shop = InstanceFile::publish(named("shop"), directory_);
  auto blog = InstanceFile::publish(named("blog"), directory_);
  const auto any = find_instance(std::nullopt, {directory_});
  EXPECT_EQ(any.error().detail, "several instances run: blog, shop; name one with --instance");
  EXPECT_EQ(find_instance("shop", {directory_})->name, "shop");
  EXPECT_EQ(find_instance("wiki", {directory_}).error().code, Error::Code::not_found);
}

TEST_F(InstanceTest, a_dead_one_is_skipped_and_replaced) {
  auto dead = InstanceFile::publish(named("shop", dead_pid()), directory_);
  ASSERT_TRUE(dead.has_value());
  dead->keep();
  EXPECT_TRUE(running_instances({directory_}).empty());
  EXPECT_TRUE(InstanceFile::publish(named("shop"), directory_).has_value());
}

TEST_F(InstanceTest, a_living_one_keeps_its_name) {
  auto other = InstanceFile::publish(named("shop", ::getppid()), directory_);
  ASSERT_TRUE(other.has_value());
  const auto mine = InstanceFile::publish(named("shop"), directory_);
  ASSERT_FALSE(mine.has_value());
  EXPECT_NE(mine.error().detail.find("runs already"), std::string::npos);
}

TEST_F(InstanceTest, names_that_are_paths_are_refused) {
  for (const char* name : {"", "../x", "a/b", ".hidden", "a b"}) {
    EXPECT_EQ(InstanceFile::publish(named(name), directory_).error().code, Error::Code::invalid);
  }
}

TEST_F(InstanceTest, a_file_that_others_may_read_is_not_believed) {
  auto file = InstanceFile::publish(named("shop"), directory_);
  ASSERT_EQ(::chmod(file->path().c_str(), 0644), 0);
  EXPECT_TRUE(running_instances({directory_}).empty());
}

TEST(Token, is_long_and_never_the_same) {
  const auto one = make_token();
  EXPECT_EQ(one->size(), 64u);
  EXPECT_NE(*one, *make_token());
}

}  // namespace
}  // namespace spillway::deploy
