// runtime/folder_test.cc: ways out of a folder, all of them closed.
#include "runtime/folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace spillway::runtime {
namespace {

namespace fs = std::filesystem;

class FolderTest : public ::testing::Test {
 public:
  ~FolderTest() override { fs::remove_all(base); }

 protected:
  FolderTest() {
    std::string name = fs::temp_directory_path() / "spillway-folder-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    base = name;
    fs::create_directories(base / "site/sub");
    write("site/a.txt", "hello");
    write("site/sub/b.txt", "below");
    write("secret", "not for you");
  }
  void write(const std::string& path, const std::string& text) {
    std::ofstream(base / path) << text;
  }
  Result<OpenFile> open(const std::string& path) {
    auto folder = Folder::open(base / "site");
    EXPECT_TRUE(folder);
    return folder->open_below(path);
  }
  void expect_nothing(const std::string& path) {
    const auto found = open(path);
    ASSERT_FALSE(found) << path;
    EXPECT_EQ(found.error().code, Error::Code::not_found) << path;
  }

  fs::path base;
};

TEST_F(FolderTest, opens_files_and_folders_below_it) {
  const auto file = open("a.txt");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->facts.is_regular);
  EXPECT_EQ(file->facts.size, 5u);
  EXPECT_EQ(read_part(file->handle, 1, 100).value(), "ello");
  EXPECT_EQ(read_part(file->handle, 9, 4).value(), "");
  EXPECT_TRUE(open("sub")->facts.is_folder);
  EXPECT_TRUE(open("")->facts.is_folder);
  EXPECT_TRUE(open("sub/../a.txt"));
}

TEST_F(FolderTest, no_path_leads_out_of_it) {
  for (const char* path : {"../secret", "sub/../../secret", "/etc/passwd", "..",
                           "a.txt/../../secret", "nothing", "a.txt/x", "sub//../../secret"}) {
    expect_nothing(path);
  }
  expect_nothing(std::string(5000, 'x'));
}

TEST_F(FolderTest, no_link_leads_out_of_it) {
  fs::create_symlink("../secret", base / "site/relative");
  fs::create_symlink(base / "secret", base / "site/absolute");
  fs::create_directory_symlink("..", base / "site/up");
  fs::create_symlink("self", base / "site/self");
  fs::create_symlink("/proc/self/root", base / "site/root");
  for (const char* path : {"relative", "absolute", "up/secret", "self", "root/etc/passwd"}) {
    expect_nothing(path);
  }
  fs::create_symlink("sub/b.txt", base / "site/inside");
  EXPECT_EQ(read_part(open("inside")->handle, 0, 9).value(), "below");
}

TEST_F(FolderTest, a_pipe_is_not_waited_for) {
  ASSERT_EQ(::mkfifo((base / "site/pipe").c_str(), 0644), 0);
  const auto pipe = open("pipe");
  ASSERT_TRUE(pipe);
  EXPECT_FALSE(pipe->facts.is_regular);
  EXPECT_FALSE(pipe->facts.is_folder);
}

TEST_F(FolderTest, says_what_is_wrong_with_the_folder_itself) {
  EXPECT_EQ(Folder::open(base / "none").error().code, Error::Code::not_found);
  EXPECT_EQ(Folder::open(base / "secret").error().code, Error::Code::invalid);
  fs::create_directory_symlink("site", base / "link");
  EXPECT_TRUE(Folder::open(base / "link"));
}

}  // namespace
}  // namespace spillway::runtime
