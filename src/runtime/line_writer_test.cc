// runtime/line_writer_test.cc: lines arrive whole and in order, and a stuck reader stops nobody.
#include "runtime/line_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <thread>

namespace spillway::runtime {
namespace {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    for (int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  void close_reader() { ::close(std::exchange(ends[0], -1)); }
  int reader() const { return ends[0]; }
  int writer() const { return ends[1]; }
  int ends[2];
};

// Waits until `size` bytes have come.
std::string read_exactly(int fd, size_t size) {
  std::string text(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t n = ::read(fd, text.data() + got, size - got);
    if (n <= 0) break;
    got += static_cast<size_t>(n);
  }
  text.resize(got);
  return text;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "line_writer_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

TEST(LineWriter, writes_to_a_pipe_within_its_interval) {
  Pipe pipe;
  auto writer = LineWriter::from_descriptor(pipe.writer(), 1, {.interval = 1ms}).value();
  EXPECT_TRUE(writer->append(0, "one\n"));
  EXPECT_EQ(read_exactly(pipe.reader(), 4), "one\n");
  writer->write_line("from a thread that is no core\n");
  EXPECT_EQ(read_exactly(pipe.reader(), 30), "from a thread that is no core\n");
}

TEST(LineWriter, does_not_wait_for_its_interval_once_a_buffer_is_half_full) {
  Pipe pipe;
  auto writer =
      LineWriter::from_descriptor(pipe.writer(), 1, {.buffer_bytes = 1024, .interval = 1h}).value();
  const std::string line = std::string(599, 'x') + "\n";
  EXPECT_TRUE(writer->append(0, line));
  EXPECT_EQ(read_exactly(pipe.reader(), 600), line);
}

TEST(LineWriter, keeps_the_callers_descriptor_blocking_and_open) {
  Pipe pipe;
  const int before = ::fcntl(pipe.writer(), F_GETFL);
  LineWriter::from_descriptor(pipe.writer(), 1).value()->append(0, "x\n");
  EXPECT_EQ(::fcntl(pipe.writer(), F_GETFL), before);
  EXPECT_EQ(before & O_NONBLOCK, 0);
}

TEST(LineWriter, keeps_lines_of_two_cores_whole_and_in_order) {
  const Folder folder;
  constexpr int lines = 20'000;
  auto writer = LineWriter::open_file(folder / "access.log", 2, {.interval = 1ms}).value();
  const auto produce = [&writer](uint32_t core) {
    const std::string pad(core * 37 + 1, 'p');
    for (int i = 0; i < lines; ++i) {
      const std::string line = std::to_string(core) + " " + std::to_string(i) + " " + pad + "\n";
      while (!writer->append(core, line)) std::this_thread::yield();
    }
  };
  std::thread one(produce, 0);
  std::thread two(produce, 1);
  one.join();
  two.join();
  writer->close();
  std::istringstream text(contents(folder / "access.log"));
  std::map<uint32_t, int> next;
  uint32_t core = 0;
  int number = 0;
  std::string pad;
  while (text >> core >> number >> pad) {
    ASSERT_EQ(number, next[core]++);
    ASSERT_EQ(pad.size(), core * 37 + 1);
  }
  EXPECT_EQ(next[0], lines);
  EXPECT_EQ(next[1], lines);
}

TEST(LineWriter, keeps_lines_whole_through_a_pipe_that_is_often_full) {
  Pipe pipe;
  auto writer =
      LineWriter::from_descriptor(pipe.writer(), 2, {.buffer_bytes = 4096, .interval = 1ms})
          .value();
  constexpr size_t lines = 3000;
  const auto produce = [&writer](uint32_t core) {
    const std::string line = std::string(300 + core * 111, static_cast<char>('a' + core)) + "\n";
    for (size_t i = 0; i < lines; ++i) {
      while (!writer->append(core, line)) std::this_thread::yield();
    }
  };
  std::thread one(produce, 0);
  std::thread two(produce, 1);
  const std::string text = read_exactly(pipe.reader(), lines * (301 + 412));
  one.join();
  two.join();
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    ASSERT_TRUE(line == std::string(300, 'a') || line == std::string(411, 'b')) << line;
  }
}

TEST(LineWriter, drops_and_counts_what_a_stuck_reader_leaves_no_room_for) {
  for (const bool is_socket : {false, true}) {
    Pipe pipe;
    int pair[2] = {-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    const int fd = is_socket ? pair[1] : pipe.writer();
    const auto begin = std::chrono::steady_clock::now();
    auto writer = LineWriter::from_descriptor(
                      fd, 1, {.buffer_bytes = 4096, .interval = 1ms, .flush_timeout = 20ms})
                      .value();
    const std::string line = std::string(99, 'x') + "\n";
    constexpr uint64_t lines = 100'000;
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < lines; ++i) {
      const bool was_accepted = writer->append(0, line);
      accepted += was_accepted ? 1 : 0;
      if (!was_accepted) std::this_thread::yield();
    }
    const LineWriter::Status status = writer->close();
    pollfd room{.fd = fd, .events = POLLOUT, .revents = 0};
    EXPECT_EQ(::poll(&room, 1, 0), 0);  // The reader really was stuck.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_LT(accepted, lines);
    EXPECT_GE(status.lines_dropped, lines - accepted);
    // A line that the end has torn counts as dropped.
    EXPECT_EQ(status.lines_dropped + status.bytes_written / line.size(), lines);
    EXPECT_EQ(status.bytes_waiting, 0u);
    ::close(pair[0]);
    ::close(pair[1]);
  }
}

TEST(LineWriter, survives_a_reader_that_is_gone) {
  Pipe pipe;
  auto writer = LineWriter::from_descriptor(pipe.writer(), 1, {.interval = 1ms}).value();
  pipe.close_reader();
  writer->append(0, "lost\n");
  const LineWriter::Status status = writer->close();
  EXPECT_EQ(status.lines_dropped, 1u);
  EXPECT_EQ(status.write_errors, 1u);
}

TEST(LineWriter, counts_what_a_full_disk_refuses) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  auto writer = LineWriter::from_descriptor(full, 1).value();
  writer->append(0, "lost\n");
  writer->append(0, "lost too\n");
  const LineWriter::Status status = writer->close();
  EXPECT_EQ(status.lines_dropped, 2u);
  EXPECT_EQ(status.bytes_written, 0u);
  ::close(full);
}

TEST(LineWriter, opens_its_file_again_after_a_rotation) {
  const Folder folder;
  auto writer = LineWriter::open_file(folder / "access.log", 1, {.interval = 1ms}).value();
  writer->append(0, "before\n");
  std::filesystem::rename(folder / "access.log", folder / "access.log.1");
  writer->reopen();
  while (!std::filesystem::exists(folder / "access.log")) std::this_thread::yield();
  writer->append(0, "after\n");
  writer->close();
  EXPECT_EQ(contents(folder / "access.log.1"), "before\n");
  EXPECT_EQ(contents(folder / "access.log"), "after\n");
}

TEST(LineWriter, appends_to_what_a_file_holds_and_says_why_it_cannot_be_opened) {
  const Folder folder;
  std::ofstream(folder / "access.log") << "old\n";
  LineWriter::open_file(folder / "access.log", 1).value()->append(0, "new\n");
  EXPECT_EQ(contents(folder / "access.log"), "old\nnew\n");
  const auto none = LineWriter::open_file(folder / "missing/access.log", 1);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Error::Code::not_found);
}

}  // namespace
}  // namespace spillway::runtime
