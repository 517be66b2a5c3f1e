// runtime/process_stats_test.cc: hostile command names, trees of processes, and ourselves.
#include "runtime/process_stats.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace spillway::runtime {
namespace {

std::string stat_line(std::string_view command) {
  return "42 (" + std::string(command) +
         ") S 7 40 40 0 -1 4194560 1 2 3 4 150 50 30 20 20 0 5 0 123456 1048576 77 184 1 1 0\n";
}

TEST(ProcessStat, reads_the_fields_behind_any_command_name) {
  for (const char* command : {"node", "a b", "x) S 1 1 1", "((", ")", "", "tab\tnew\nline"}) {
    const auto stat = parse_process_stat(stat_line(command));
    ASSERT_TRUE(stat) << command;
    EXPECT_EQ(stat->pid, 42);
    EXPECT_EQ(stat->parent, 7);
    EXPECT_EQ(stat->group, 40);
    EXPECT_EQ(stat->cpu_ticks, 200u);
    EXPECT_EQ(stat->cpu_ticks_children, 50u);
    EXPECT_EQ(stat->threads, 5u);
    EXPECT_EQ(stat->start_ticks, 123456u);
    EXPECT_EQ(stat->virtual_bytes, 1048576u);
    EXPECT_EQ(stat->resident_pages, 77u);
  }
}

TEST(ProcessStat, refuses_lines_that_are_cut_short_or_are_none) {
  const std::string whole = stat_line("node");
  for (std::string_view line :
       {std::string_view(""), std::string_view("42"), std::string_view("42 (node"),
        std::string_view("x (node) S 1 1"), std::string_view(") 42 (S 1"),
        std::string_view(whole).substr(0, 30)}) {
    EXPECT_FALSE(parse_process_stat(line)) << line;
  }
}

TEST(ProcessTable, adds_up_descendants_and_the_process_group) {
  const auto process = [](pid_t pid, pid_t parent, pid_t group) {
    return std::pair{pid, ProcessStat{.pid = pid,
                                      .parent = parent,
                                      .group = group,
                                      .cpu_ticks = 10,
                                      .cpu_ticks_children = 5,
                                      .threads = 1,
                                      .resident_pages = 2}};
  };
  const ProcessTable table({process(1, 0, 1), process(100, 1, 100), process(101, 100, 100),
                            process(102, 101, 102),  // A grandchild with a group of its own.
                            process(103, 1, 100),    // Its parent died; the group is still ours.
                            process(200, 1, 200)});
  const auto usage = table.usage_of(100).value();
  EXPECT_EQ(usage.processes, 4u);
  EXPECT_EQ(usage.threads, 4u);
  EXPECT_EQ(usage.cpu, 60 * Duration(1'000'000'000 / ::sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(usage.resident_bytes, 8u * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(table.usage_of(200)->processes, 1u);
  EXPECT_EQ(table.usage_of(300).error().code, Error::Code::not_found);
}

TEST(ProcessTable, does_not_follow_a_circle_of_parents_forever) {
  const ProcessTable table({{5, {.pid = 5, .parent = 6}}, {6, {.pid = 6, .parent = 5}}});
  EXPECT_FALSE(table.usage_of(7));
}

TEST(ProcessTable, sees_a_real_child_under_us) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const auto table = ProcessTable::read().value();
  EXPECT_GE(table.usage_of(::getpid())->processes, 2u);
  const auto usage = table.usage_of(child);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->processes, 1u);
  EXPECT_GT(usage->resident_bytes, 0u);
}

TEST(OwnProcess, tells_memory_descriptors_and_start) {
  const auto own = read_own_process().value();
  EXPECT_GT(own.resident_bytes, 1u << 20);
  EXPECT_GE(own.virtual_bytes, own.resident_bytes);
  EXPECT_GE(own.open_descriptors, 3u);
  EXPECT_GE(own.descriptors_max, own.open_descriptors);
  const Duration age = std::chrono::system_clock::now() - own.started;
  EXPECT_GT(age, -5s);  // The kernel's boot time is known to the second.
  EXPECT_LT(age, 1h);
  const int extra = ::dup(0);
  EXPECT_EQ(read_own_process()->open_descriptors, own.open_descriptors + 1);
  ::close(extra);
}

}  // namespace
}  // namespace spillway::runtime
