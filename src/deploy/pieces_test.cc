// deploy/pieces_test.cc: lines of output, guard reports, versions and the state of an upgrade.
#include <gtest/gtest.h>
#include <unistd.h>

#include "deploy/guard.h"
#include "deploy/listener_table.h"
#include "deploy/replica_output.h"
#include "deploy/service_keeper.h"
#include "deploy/supervisor_state.h"

namespace spillway::deploy {
namespace {

std::vector<std::string> lines_of(const std::vector<std::string>& pieces) {
  LineSplitter splitter;
  std::vector<std::string> lines;
  const auto take = [&lines](std::string_view line) { lines.emplace_back(line); };
  for (const auto& piece : pieces) splitter.add(piece, take);
  splitter.finish(take);
  return lines;
}

TEST(LineSplitter, cuts_lines_however_they_arrive) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines_of({"one\ntwo\r\n", "thr", "ee\n\nend"}),
            (Lines{"one", "two", "three", "", "end"}));
  EXPECT_EQ(lines_of({}), Lines{});
  EXPECT_EQ(lines_of({"\r", "\n"}), Lines{""});
}

TEST(LineSplitter, cuts_lines_that_are_too_long_into_pieces) {
  const std::string longest(LineSplitter::line_bytes_max, 'x');
  const auto lines = lines_of({longest + longest + "y\nz\n"});
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0], longest);
  EXPECT_EQ(lines[1], longest);
  EXPECT_EQ(lines[2], "y");
  EXPECT_EQ(lines[3], "z");
}

TEST(GuardReport, survives_as_text) {
  EXPECT_EQ(std::get<GuardStarted>(*decode_guard_report(encode(GuardStarted{42}))).replica, 42);
  const auto ended = decode_guard_report(encode(ReplicaEnded{{.code = 3, .signal = 9}}));
  EXPECT_EQ(std::get<ReplicaEnded>(*ended).status, (runtime::ExitStatus{.code = 3, .signal = 9}));
  const Error error{.code = Error::Code::permission, .detail = "exec: Permission denied"};
  const auto failed = decode_guard_report(encode(GuardFailed{error}));
  EXPECT_EQ(std::get<GuardFailed>(*failed).error.code, error.code);
  EXPECT_EQ(std::get<GuardFailed>(*failed).error.detail, error.detail);
  for (const char* nonsense : {"", "started", "started x", "ended 1", "dance"}) {
    EXPECT_FALSE(decode_guard_report(nonsense).has_value()) << nonsense;
  }
}

TEST(SupervisorState, survives_as_text) {
  const SupervisorState state{
      .next_replica = 9,
      .next_server = 3,
      .listeners = {{.at = *SocketAddress::parse("127.0.0.1:0"),
                     .bound = *SocketAddress::parse("127.0.0.1:4000"),
                     .sockets = {5, 6}}},
      .replicas = {{.record = {.number = 8, .service = "web", .index = 1, .port = 4001, .pid = 77},
                    .guard = 76,
                    .socket = 7,
                    .output = 8,
                    .errors = 9,
                    .has_ended = false}},
      .servers = {{.number = 2, .pid = 55, .socket = 10, .is_serving = true}},
      .other_children = {12},
      .kept = {{"tickets", "00ff"}}};
  const auto decoded = decode_supervisor_state(encode(state));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(encode(*decoded), encode(state));
  EXPECT_EQ(decoded->descriptors(), (std::vector<int>{5, 6, 8, 9, 7, 10}));
  EXPECT_FALSE(decode_supervisor_state("{}").has_value());
  EXPECT_FALSE(decode_supervisor_state("").has_value());
}

TEST(ListenerTable, binds_once_and_hands_out_the_same_sockets_again) {
  ListenerTable table;
  const Listen request{.at = *SocketAddress::parse("127.0.0.1:0"), .sockets = 2};
  const auto first = table.hold(request);
  ASSERT_TRUE(first.has_value());
  EXPECT_NE((*first)->bound.port, 0);
  const auto sockets = descriptors_of(**first);
  EXPECT_EQ(sockets.size(), 2u);
  EXPECT_EQ(descriptors_of(**table.hold(request)), sockets);
  const auto more = table.hold({.at = request.at, .sockets = 3});
  EXPECT_EQ(descriptors_of(**more).size(), 3u);
  EXPECT_EQ(table.hold({.at = request.at, .sockets = 0}).error().code, Error::Code::limit_exceeded);
  EXPECT_TRUE(table.release(request.at).has_value());
  EXPECT_EQ(table.release(request.at).error().code, Error::Code::not_found);
}

TEST(ReplicaStatus, is_told_what_its_processes_use) {
  std::vector<ReplicaStatus> replicas(2);
  replicas[0].pid = ::getpid();
  const auto processes = runtime::ProcessTable::read();
  ASSERT_TRUE(processes.has_value());
  add_usage(replicas, *processes);
  ASSERT_TRUE(replicas[0].usage.has_value());
  EXPECT_GT(replicas[0].usage->resident_bytes, 0u);
  EXPECT_FALSE(replicas[1].usage.has_value()) << "it does not run";
}

TEST(ServiceVersion, changes_with_the_command_and_not_with_our_patience) {
  ProcessConfig config;
  config.run = {"node", "server.js"};
  const std::string spec = make_version(config)->spec;
  config.stop.grace = 1s;
  config.replicas.min = 5;
  EXPECT_EQ(make_version(config)->spec, spec);
  config.env["NODE_ENV"] = "production";
  EXPECT_NE(make_version(config)->spec, spec);
}

}  // namespace
}  // namespace spillway::deploy
