// cli/cli_test.cc: the command line, tables, human numbers and pages as people see them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/api_client.h"
#include "cli/exit_status.h"
#include "cli/explanation_text.h"
#include "cli/human.h"
#include "cli/options.h"
#include "cli/plan_source.h"
#include "cli/status_text.h"
#include "cli/table.h"

namespace spillway::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Options parsed(std::vector<std::string> arguments) {
  auto options = parse_arguments(std::move(arguments));
  EXPECT_TRUE(options) << (options ? "" : options.error().text);
  return options ? *options : Options{};
}

ParseEnd ended(std::vector<std::string> arguments) {
  auto options = parse_arguments(std::move(arguments));
  EXPECT_FALSE(options);
  return options ? ParseEnd{} : options.error();
}

TEST(CommandLine, runs_a_plan_a_command_or_what_already_runs) {
  EXPECT_EQ(parsed({"up"}).up.plan, "spillway.yaml");
  EXPECT_EQ(parsed({"up", "shop.yaml", "--watch"}).up.plan, "shop.yaml");
  EXPECT_TRUE(parsed({"up", "--watch"}).up.watch);
  EXPECT_EQ(parsed({"up", "--to", "127.0.0.1:3000"}).up.to, "127.0.0.1:3000");
  EXPECT_THAT(parsed({"up", "--", "node", "--watch", "server.js", "--json"}).up.command,
              ElementsAre("node", "--watch", "server.js", "--json"));
  EXPECT_EQ(parsed({"server", "shop.yaml"}).command, Command::server);
}

TEST(CommandLine, refuses_two_ways_at_once) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"up", "--"},
                                             {"up", "a.yaml", "--to", "1"},
                                             {"up", "a.yaml", "--", "node"},
                                             {"up", "--to", "1", "--", "node"},
                                             {"up", "--watch", "--", "node"},
                                             {"up", "--watch", "--to", "1"},
                                             {"status", "--", "node"},
                                             {"check", "a.yaml", "--schema"},
                                             {},
                                             {"dance"},
                                             {"status", "--dance"},
                                             {"scale"},
                                             {"scale", "set", "web"},
                                             {"scale", "set", "web", "-1"},
                                             {"scale", "set", "web", "many"},
                                             {"logs", "-n", "2001"},
                                             {"drain"},
                                             {"explain", "GET"},
                                             {"--color", "blue", "status"}}) {
    const ParseEnd end = ended(arguments);
    EXPECT_EQ(end.status, exit_bad_usage) << end.text;
    EXPECT_TRUE(end.is_error);
    EXPECT_THAT(end.text, testing::StartsWith("spillway: "));
  }
}

TEST(CommandLine, names_the_command_that_was_probably_meant) {
  EXPECT_EQ(ended({"relaod"}).text,
            "spillway: \"relaod\" is not a command; did you mean `spillway reload`?\n");
  EXPECT_THAT(ended({"--json", "statsu"}).text, HasSubstr("did you mean `spillway status`?\n"));
  EXPECT_EQ(ended({"dance"}).text,
            "spillway: \"dance\" is not a command; `spillway --help` lists them\n");
  for (const auto& arguments : {std::vector<std::string>{"scale"}, {"--dance"}, {}}) {
    EXPECT_THAT(ended(arguments).text, Not(HasSubstr("is not a command")));
  }
}

TEST(CommandLine, reads_every_command) {
  EXPECT_EQ(parsed({"check", "a.yaml"}).check.plan, "a.yaml");
  EXPECT_EQ(parsed({"check"}).check.plan, "spillway.yaml");
  EXPECT_TRUE(parsed({"check", "--schema"}).check.schema);
  const Options explain =
      parsed({"explain", "GET", "/a", "-H", "x-a: 1", "plan.yaml", "-H", "x-b: 2"});
  EXPECT_EQ(explain.command, Command::explain_request);
  EXPECT_EQ(explain.explain.plan, "plan.yaml");
  EXPECT_THAT(explain.explain.headers, ElementsAre("x-a: 1", "x-b: 2"));
  EXPECT_EQ(parsed({"explain", "field", "queue.wait"}).explain.field, "queue.wait");
  EXPECT_TRUE(parsed({"status", "--watch"}).status.watch);
  EXPECT_EQ(parsed({"reload"}).command, Command::reload);
  EXPECT_EQ(parsed({"deploy"}).action.service, "");
  EXPECT_EQ(parsed({"deploy", "web"}).action.service, "web");
  EXPECT_EQ(parsed({"scale", "set", "web", "4"}).action.replicas, 4u);
  EXPECT_EQ(parsed({"drain", "web.1"}).action.endpoint, "web.1");
  EXPECT_TRUE(parsed({"drain", "web.1", "--undo"}).action.undo);
  const Options logs = parsed({"logs", "web", "-f", "-n", "5"});
  EXPECT_TRUE(logs.logs.follow);
  EXPECT_EQ(logs.logs.lines, 5u);
  EXPECT_EQ(parsed({"clients", "list"}).command, Command::clients_list);
  const Options deny = parsed({"clients", "deny", "203.0.113.0/24", "--for", "1h"});
  EXPECT_EQ(deny.command, Command::clients_deny);
  EXPECT_EQ(deny.clients.prefix, "203.0.113.0/24");
  EXPECT_EQ(deny.clients.within, "1h");
  EXPECT_EQ(parsed({"clients", "allow", "::1"}).command, Command::clients_allow);
  EXPECT_EQ(parsed({"clients", "remove", "::1"}).command, Command::clients_remove);
  EXPECT_EQ(parsed({"upgrade", "/opt/new"}).action.program, "/opt/new");
  EXPECT_TRUE(parsed({"stop", "--now"}).action.now);
}

TEST(CommandLine, takes_what_holds_for_all_commands_anywhere) {
  const Options before = parsed({"--json", "--instance", "shop", "status"});
  const Options after = parsed({"status", "--json", "--instance", "shop", "--color", "always"});
  EXPECT_TRUE(before.json && after.json);
  EXPECT_EQ(after.instance, "shop");
  EXPECT_EQ(after.colour, ColourWish::always);
  EXPECT_EQ(parsed({"stop", "--admin", "http://127.0.0.1:1"}).admin, "http://127.0.0.1:1");
}

TEST(CommandLine, helps) {
  const ParseEnd help = ended({"--help"});
  EXPECT_EQ(help.status, exit_ok);
  EXPECT_FALSE(help.is_error);
  EXPECT_THAT(help.text, AllOf(HasSubstr("Examples:"), HasSubstr("Exit status:"),
                               HasSubstr("  3  no running instance"), Not(HasSubstr("  server"))));
  for (const char* name : {"up", "check", "explain", "status", "reload", "deploy", "scale", "drain",
                           "logs", "upgrade", "stop", "clients"}) {
    EXPECT_THAT(help.text, HasSubstr(std::string("\n  ") + name + " "));
    const ParseEnd own = ended({name, "--help"});
    EXPECT_EQ(own.status, exit_ok);
    EXPECT_THAT(own.text, HasSubstr(std::string("spillway ") + name));
    EXPECT_THAT(own.text, Not(HasSubstr("Exit status:"))) << "the whole program's help";
  }
  EXPECT_EQ(ended({"--version"}).text, "spillway " + version_text() + "\n");
  for (size_t at = 0; at < help.text.size();) {
    const size_t end = help.text.find('\n', at);
    EXPECT_LE(end - at, 100u) << help.text.substr(at, end - at);
    at = end + 1;
  }
}

TEST(PlanSource, makes_plans_of_words) {
  const PlanSource to = plan_source({.to = "3000"});
  EXPECT_FALSE(to.is_file);
  EXPECT_TRUE(to.load().plan);
  const PlanSource command = plan_source({.command = {"node", "server.js"}});
  EXPECT_EQ(command.text, "-- node server.js");
  EXPECT_EQ(command.load().plan->services.at("web").process.run.front(), "node");
  EXPECT_FALSE(plan_source({.to = "nowhere"}).load().plan);
  EXPECT_TRUE(plan_source({}).is_file);
}

TEST(ParseTarget, reads_the_forms_that_people_write) {
  EXPECT_EQ(parse_target("http://127.0.0.1:9901")->host, "127.0.0.1:9901");
  EXPECT_EQ(parse_target("http://localhost:9901/")->address.port, 9901);
  EXPECT_EQ(parse_target("unix:/run/x.sock")->address.unix_path, "/run/x.sock");
  EXPECT_EQ(parse_target("http+unix:/run/x.sock")->host, "localhost");
  EXPECT_FALSE(parse_target("ftp://127.0.0.1"));
  EXPECT_FALSE(parse_target("http://shop.example:1"));
}

TEST(Human, writes_three_digits) {
  EXPECT_EQ(human_duration(340us), "340 us");
  EXPECT_EQ(human_duration(1200us), "1.2 ms");
  EXPECT_EQ(human_duration(1500ms), "1.5 s");
  EXPECT_EQ(human_duration(42s), "42 s");
  EXPECT_EQ(human_duration(200s), "3m 20s");
  EXPECT_EQ(human_duration(2h + 3min), "2h 3m");
  EXPECT_EQ(human_duration(52h), "2d 4h");
  EXPECT_EQ(human_duration(-1s), "0 s");
  EXPECT_EQ(human_bytes(512), "512 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KB");
  EXPECT_EQ(human_bytes(uint64_t{3} << 40), "3 TB");
  EXPECT_EQ(human_bytes((uint64_t{1} << 20) - 1), "1 MB");
  EXPECT_EQ(human_count(950), "950");
  EXPECT_EQ(human_count(12'345), "12.3k");
  EXPECT_EQ(human_count(4'560'000), "4.56M");
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_share(0), "0%");
  EXPECT_EQ(human_share(0.00001), "<0.01%");
  EXPECT_EQ(human_share(0.125), "12.5%");
  EXPECT_EQ(human_share(1), "100%");
}

TEST(Table, aligns_columns_and_leaves_empty_ones_out) {
  Table table({{.heading = "NAME"},
               {.heading = "NOTHING"},
               {.heading = "N", .align = Table::Align::right},
               {.heading = "LAST"}});
  table.add({"a", "", "5", "caf\xc3\xa9"});
  table.add({"longer", "", "1000", ""});
  EXPECT_EQ(table.text(false, "  "),
            "  NAME       N  LAST\n"
            "  a          5  caf\xc3\xa9\n"
            "  longer  1000\n");
}

TEST(Table, colours_without_moving_columns) {
  Table table({{.heading = "A"}, {.heading = "B"}});
  table.add({{"x", Colour::red}, "y"});
  EXPECT_EQ(table.text(true), "\x1b[2mA\x1b[0m  \x1b[2mB\x1b[0m\n\x1b[31mx\x1b[0m  y\n");
}

TEST(Output, keeps_text_from_elsewhere_from_driving_the_terminal) {
  EXPECT_EQ(harmless("a\x1b[31mb\tc\r\x7f"), "a?[31mb\tc??");
  EXPECT_EQ(harmless("caf\xc3\xa9 \xc2\x9b!"), "caf\xc3\xa9 ?!");
}

admin::InstanceStatus example() {
  admin::InstanceStatus status{
      .name = "shop",
      .version = "0.1.0",
      .pid = 4242,
      .uptime = 2h + 3min,
      .plan = "/srv/shop.yaml",
      .plan_loaded_at = "2026-01-31T12:00:00.000Z",
      .workers = 2,
      .listeners = {{"http://0.0.0.0:0", "http://0.0.0.0:8080"}},
      .admin = "http://127.0.0.1:9901",
      .connections_open = 12,
      .connections_max = 20'000,
      .traffic = {.requests = 123'456,
                  .requests_per_second = 1234.5,
                  .error_share = 0.001,
                  .in_flight = 3,
                  .active_users = 5.2,
                  .latency = admin::LatencyStatus{1ms, 4ms, 10ms}},
      .process = {
          .cpu = 12s, .resident_bytes = 34 << 20, .descriptors_open = 45, .descriptors_max = 1024}};
  admin::ServiceStatus web{.name = "web",
                           .is_supervised = true,
                           .balance = "least_requests",
                           .queue_length_max = 1000,
                           .requests = 123'000,
                           .retries = 1};
  web.endpoints.push_back({.name = "web.1",
                           .address = "127.0.0.1:40001",
                           .state = "healthy",
                           .in_flight = 2,
                           .requests = 61'500,
                           .last_probe = "200 in 1 ms",
                           .replica = admin::ReplicaStatus{.state = "ready",
                                                           .pid = 99,
                                                           .uptime = 200s,
                                                           .cpu_share = 0.25,
                                                           .resident_bytes = 80 << 20}});
  web.endpoints.push_back(
      {.name = "web.2",
       .state = "waiting",
       .replica = admin::ReplicaStatus{
           .state = "waiting", .restarts = 3, .last_error = "ended with status 1"}});
  status.services.push_back(web);
  return status;
}

TEST(StatusText, is_read_at_a_glance) {
  EXPECT_EQ(
      status_text(example(), false),
      "shop 0.1.0, pid 4242, up 2h 3m, 2 workers\n"
      "  plan       /srv/shop.yaml, loaded 2026-01-31T12:00:00.000Z\n"
      "  listening  http://0.0.0.0:8080\n"
      "  admin      http://127.0.0.1:9901\n"
      "  clients    12 of 20000 connections, about 5 active users\n"
      "  traffic    1.23k req/s, 0.1% errors, 3 in flight, 123k in all; p50 1 ms, p95 4 ms, "
      "p99 10 ms\n"
      "  process    34 MB, 12 s of CPU time, 45 of 1024 descriptors\n"
      "\n"
      "web  least_requests, 0 in flight, queue 0 of 1000, 123k requests, 1 retry\n"
      "  ENDPOINT  ADDRESS          STATE    IN FLIGHT  REQUESTS  FAILURES  CPU  MEMORY  PID  "
      "RESTARTS      UP  LAST\n"
      "  web.1     127.0.0.1:40001  healthy          2     61.5k         0  25%   80 MB   99  "
      "       0  3m 20s  probe: 200 in 1 ms\n"
      "  web.2                      waiting          0         0         0                    "
      "       3          ended with status 1\n");
}

TEST(StatusText, colours_what_needs_a_look) {
  const std::string text = status_text(example(), true);
  EXPECT_THAT(text, AllOf(HasSubstr("\x1b[32mhealthy\x1b[0m"), HasSubstr("\x1b[33mwaiting\x1b[0m"),
                          HasSubstr("\x1b[31mended with status 1\x1b[0m")));
}

TEST(ExplanationText, says_route_reasons_and_what_applies) {
  gateway::Explanation explanation{.method = "GET",
                                   .host = "shop.example",
                                   .path = "/a",
                                   .path_received = "/./a",
                                   .route = 1,
                                   .route_label = "/*",
                                   .reasons = {"host: any", "path: any"},
                                   .passed = {{0, "POST /a", "methods: GET is not one of POST"}},
                                   .filters = {"one", "two"},
                                   .service = "web",
                                   .balance = "least_requests",
                                   .timeouts = {{"connect", "3s"}},
                                   .endpoints = {{"web.1", "127.0.0.1:1", "healthy"}}};
  EXPECT_EQ(explanation_text(explanation, false),
            "request    GET http://shop.example/a\n"
            "path       /a, normalised from /./a\n"
            "route      /* (number 2)\n"
            "why        host: any\n"
            "           path: any\n"
            "not taken  POST /a (number 1): methods: GET is not one of POST\n"
            "filters    one, two\n"
            "service    web\n"
            "balance    least_requests\n"
            "timeouts   connect        3s\n"
            "endpoints  web.1 at 127.0.0.1:1: healthy\n");
  explanation.route.reset();
  explanation.refused_status = 404;
  explanation.refusal = "no route matches this request";
  EXPECT_THAT(explanation_text(explanation, false),
              HasSubstr("answer     404 no route matches this request\n"));
}

}  // namespace
}  // namespace spillway::cli
