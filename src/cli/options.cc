// cli/options.cc: the commands, their options and their help.
#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <sstream>

#include "cli/exit_status.h"
#include "plan/names.h"
#include "plan/problem.h"

namespace spillway::cli {
namespace {

constexpr const char* description =
    "Spillway stands between a web application and its users: it starts and watches the\n"
    "application's replicas, routes and balances over them, and shows what it does.";

constexpr const char* footer =
    R"(Examples:
  spillway up -- node server.js        start, watch and balance this command
  spillway up --to 127.0.0.1:3000      stand in front of what already runs
  spillway up                          run ./spillway.yaml
  spillway check spillway.yaml         every problem of a plan, with line and column
  spillway explain GET /api/cart       which route, filters and service, and why
  spillway status --watch              what is going on, every two seconds

Exit status:
  0  done
  1  it was tried and did not work
  2  the plan or the command line is wrong; nothing was done
  3  no running instance was found, or it does not answer
  4  the instance refused: an unknown name, not possible now, or a wrong token

Commands find the instance that this user runs, and its token, by themselves. `spillway
COMMAND --help` tells more of a command; `spillway explain field NAME` of a plan's field.)";

constexpr const char* everywhere =
    "--json, --color, --instance and --admin may follow any command: see `spillway --help`.";

constexpr const char* until_restart =
    "This survives reloads, but not a restart or an upgrade: what is to last belongs into the\n"
    "plan's ";

void add_up(CLI::App& app, Options& options, const std::string& name) {
  CLI::App* up =
      app.add_subcommand(name, "Run a plan file, `-- COMMAND...`, or stand before `--to ADDRESS`");
  up->add_option("PLAN", options.up.plan, "The plan file: spillway.yaml if absent");
  up->add_option("--to", options.up.to,
                 "An ADDRESS:PORT, PORT or unix:/PATH that "
                 "already runs, instead of a plan")
      ->option_text("ADDRESS");
  up->add_flag("--watch", options.up.watch, "Reload when a file of the plan changes");
  up->footer(
      "Examples:\n"
      "  spillway up                       ./spillway.yaml\n"
      "  spillway up plans/shop.yaml --watch\n"
      "  spillway up -- node server.js     this command, told its PORT\n"
      "  spillway up --to 127.0.0.1:3000   what already runs\n\n"
      "Signals: TERM and INT stop in order, HUP reloads the plan, USR1 opens log files anew.");
  const bool is_server = name == "server";
  if (is_server) up->group("");
  up->callback(
      [&options, is_server] { options.command = is_server ? Command::server : Command::up; });
}

void add_check(CLI::App& app, Options& options) {
  CLI::App* check = app.add_subcommand("check", "Find every problem of a plan file");
  auto* plan = check->add_option("PLAN", options.check.plan, "The plan file");
  auto* schema = check->add_flag("--schema", options.check.schema,
                                 "Print the JSON Schema of plan files instead, for editors");
  schema->excludes(plan);
  check->footer("Prints file:line:column of each problem; exit status 2 if there is one.");
  check->callback([&options] {
    options.command = Command::check;
    if (options.check.plan.empty() && !options.check.schema) {
      options.check.plan = UpOptions{}.plan;
    }
  });
}

void add_explain(CLI::App& app, Options& options) {
  CLI::App* explain =
      app.add_subcommand("explain", "Which route a request takes and why, or what a field means");
  explain->add_option("METHOD", options.explain.method, "A method such as GET; or `field`")
      ->required();
  explain
      ->add_option("URL", options.explain.url,
                   "http://shop.example/cart or /cart; or the NAME of a field")
      ->required();
  explain->add_option("PLAN", options.explain.plan,
                      "Read this plan instead of asking the running instance");
  explain->add_option("-H,--header", options.explain.headers, "A header of the request")
      ->option_text("'NAME: VALUE'")
      ->allow_extra_args(false);
  explain->footer(
      "Examples:\n"
      "  spillway explain GET /api/cart\n"
      "  spillway explain POST http://shop.example/bids -H 'x-beta: 1' spillway.yaml\n"
      "  spillway explain field services.api.queue.wait");
  explain->callback([&options] {
    if (options.explain.method == "field") {
      options.command = Command::explain_field;
      options.explain.field = options.explain.url;
    } else {
      options.command = Command::explain_request;
    }
  });
}

void add_views(CLI::App& app, Options& options) {
  CLI::App* status = app.add_subcommand("status", "Show services, endpoints and traffic");
  status->add_flag("--watch", options.status.watch, "Again every two seconds");
  status->callback([&options] { options.command = Command::status; });

  CLI::App* logs = app.add_subcommand("logs", "Show what the instance and its replicas wrote");
  logs->add_option("SERVICE", options.action.service,
                   "Only this service, replica (`web.1`) or `spillway` itself");
  logs->add_flag("-f,--follow", options.logs.follow, "Go on until interrupted");
  logs->add_option("-n,--lines", options.logs.lines, "How many of the last lines: 100 if absent")
      ->option_text("N")
      ->check(CLI::Range(0, 2000));
  logs->callback([&options] { options.command = Command::logs; });
}

void add_clients(CLI::App& app, Options& options) {
  CLI::App* clients = app.add_subcommand("clients", "Show, allow or deny clients by their address");
  clients->require_subcommand(1);
  clients->add_subcommand("list", "Who is allowed and denied, by the plan and by these commands")
      ->callback([&options] { options.command = Command::clients_list; });
  const auto add = [&](const char* name, const char* help, Command command) {
    CLI::App* change = clients->add_subcommand(name, help);
    change->add_option("PREFIX", options.clients.prefix, "An address, or all of 203.0.113.0/24")
        ->required();
    change->callback([&options, command] { options.command = command; });
    return change;
  };
  for (CLI::App* change :
       {add("allow", "No limit or denial holds for these from now on", Command::clients_allow),
        add("deny", "Answer these 403 from now on", Command::clients_deny)}) {
    change
        ->add_option("--for", options.clients.within, "End it by itself after so long, such as 1h")
        ->option_text("TIME");
  }
  add("remove", "Undo allow or deny", Command::clients_remove);
  clients->footer(std::string("Examples:\n"
                              "  spillway clients deny 203.0.113.0/24 --for 1h\n"
                              "  spillway clients remove 203.0.113.0/24\n\n") +
                  until_restart + "`clients`.");
}

void add_maintenance(CLI::App& app, Options& options) {
  CLI::App* maintenance =
      app.add_subcommand("maintenance", "Tell everybody to come back later, or serve again");
  maintenance
      ->add_option("TO", options.switches.to,
                   "on, off, or plan for what the plan says; shows it if absent")
      ->check(CLI::IsMember({"on", "off", "plan"}));
  maintenance->add_option("--for", options.switches.within, "End it by itself after so long")
      ->option_text("TIME");
  maintenance->footer(std::string("Examples:\n"
                                  "  spillway maintenance on --for 30m\n"
                                  "  spillway maintenance off\n\n") +
                      until_restart + "`maintenance`, which has the page, too.");
  maintenance->callback([&options] { options.command = Command::maintenance; });
}

void add_split(CLI::App& app, Options& options) {
  CLI::App* split =
      app.add_subcommand("split", "Send more or fewer clients to a release, or all of them back");
  split->add_option("SERVICE", options.switches.service,
                    "A service of a route's split, but not its first; shows all if absent");
  split->add_option("TO", options.switches.to,
                    "A share such as 20%, off for nobody, or plan for what the plan says");
  split->footer(
      std::string("Examples:\n"
                  "  spillway split                  where all splits stand\n"
                  "  spillway split canary 20%\n"
                  "  spillway split green 100%       blue and green: everybody to green\n"
                  "  spillway split canary off       everybody back, at once\n\n"
                  "With 0% those still come who ask by a header or cookie of the plan; with off\n"
                  "nobody does. It is in force for the next request.\n") +
      until_restart + "`routes[].split`.");
  split->callback([&options] { options.command = Command::split; });
}

// What CLI11 cannot be told of how arguments go together; empty: nothing is wrong.
std::string wrong_switches(const Options& options) {
  const auto& [service, to, within] = options.switches;
  if (options.command == Command::maintenance && !within.empty() && to != "on" && to != "off") {
    return "`maintenance` takes --for after on or off\n";
  }
  if (options.command == Command::split && service.empty() != to.empty()) {
    return "`split` takes SERVICE and a share such as 20%, off or plan\n";
  }
  return "";
}

// `up` takes what it runs from one place.
std::string wrong_sources(const Options& options, bool has_dashes, bool has_plan) {
  const bool is_up = options.command == Command::up || options.command == Command::server;
  if (has_dashes && !is_up) return "only `up` takes a command behind --\n";
  if (has_dashes && options.up.command.empty()) {
    return "no command behind --: spillway up -- node server.js\n";
  }
  if (!is_up) return "";
  if (has_dashes + !options.up.to.empty() + has_plan > 1) {
    return "`up` takes one of PLAN, --to ADDRESS and -- COMMAND\n";
  }
  const bool has_file = !has_dashes && options.up.to.empty();
  return options.up.watch && !has_file ? "--watch follows a plan file\n" : "";
}

void add_actions(CLI::App& app, Options& options) {
  app.add_subcommand("reload", "Apply the changed plan: whole, or not at all")
      ->callback([&options] { options.command = Command::reload; });

  CLI::App* deploy = app.add_subcommand("deploy", "Replace replicas one at a time by fresh ones");
  deploy->add_option("SERVICE", options.action.service, "Only this service");
  deploy->footer("A new replica is ready before an old one is drained: no request is lost.");
  deploy->callback([&options] { options.command = Command::deploy; });

  CLI::App* scale = app.add_subcommand("scale", "Change how many replicas a service has");
  scale->require_subcommand(1);
  CLI::App* set = scale->add_subcommand("set", "To this number, within the plan's bounds");
  set->add_option("SERVICE", options.action.service, "The service")->required();
  set->add_option("N", options.action.replicas, "How many replicas")->required();
  set->callback([&options] { options.command = Command::scale; });

  CLI::App* drain = app.add_subcommand("drain", "Send nothing new to an endpoint");
  drain->add_option("ENDPOINT", options.action.endpoint, "Its name or address, as status shows it")
      ->required();
  drain->add_flag("--undo", options.action.undo, "Let it take requests again");
  drain->callback([&options] { options.command = Command::drain; });

  CLI::App* upgrade = app.add_subcommand("upgrade", "Go over to another binary, or a changed plan");
  upgrade->add_option("BINARY", options.action.program,
                      "The new program; the one that was started if absent");
  upgrade->footer("Listening sockets are handed over: no connection is refused in between.");
  upgrade->callback([&options] { options.command = Command::upgrade; });

  CLI::App* stop = app.add_subcommand("stop", "End the instance when its requests have ended");
  stop->add_flag("--now", options.action.now, "Without waiting for requests under way");
  stop->callback([&options] { options.command = Command::stop; });
}

void add_globals(CLI::App& app, Options& options, std::string& colour) {
  app.add_flag("--json", options.json, "Machine-readable output");
  app.add_option("--color", colour, "auto, always or never; NO_COLOR is obeyed")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->option_text("WHEN");
  app.add_option("--instance", options.instance, "The running instance of this name")
      ->option_text("NAME");
  app.add_option("--admin", options.admin,
                 "Where it is controlled: http://127.0.0.1:9901 or http+unix:/PATH.\n"
                 "The token is found, or taken from SPILLWAY_TOKEN")
      ->option_text("URL");
}

// In the help: all but the one that is ours alone, each with what holds for all.
void show_commands(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    std::string own = command->get_footer();
    if (own == footer) own.clear();  // CLI11 hands ours down.
    if (command->get_name() != "server") command->group("Commands");
    command->footer(own.empty() ? everywhere : own + "\n\n" + everywhere);
  }
}

// What stands behind "--" is a command of the user's and none of our options.
std::vector<std::string> take_command(std::vector<std::string>& arguments) {
  const auto dashes = std::ranges::find(arguments, "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> command(std::next(dashes), arguments.end());
  arguments.erase(dashes, arguments.end());
  return command;
}

ParseEnd usage_error(std::string message) {
  return {.status = exit_bad_usage, .text = "spillway: " + std::move(message), .is_error = true};
}

// What to say where no argument is a command; nothing if one is, or if there is no word at all.
std::string unknown_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
    if (std::ranges::find(arguments, names.back()) != arguments.end()) return "";
    if (command->get_group() != "Commands") names.pop_back();  // Not for people.
  }
  const auto is_word = [](const std::string& text) { return !text.starts_with("-"); };
  const auto word = std::ranges::find_if(arguments, is_word);
  if (word == arguments.end()) return "";
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto meant = plan::nearest(*word, known);
  return fmt::format(
      "{} is not a command; {}\n", plan::in_quotes(*word),
      meant ? fmt::format("did you mean `spillway {}`?", *meant) : "`spillway --help` lists them");
}

}  // namespace

std::string version_text() { return SPILLWAY_VERSION; }

std::expected<Options, ParseEnd> parse_arguments(std::vector<std::string> arguments) {
  Options options;
  std::string colour = "auto";
  const bool has_dashes = std::ranges::find(arguments, "--") != arguments.end();
  options.up.command = take_command(arguments);

  CLI::App app(description, "spillway");
  app.footer(footer);
  app.set_version_flag("--version", "spillway " + version_text());
  app.require_subcommand(1);
  app.fallthrough();
  app.get_formatter()->column_width(22);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Subcommands", "Commands");
  app.get_formatter()->label("TEXT", "");
  add_globals(app, options, colour);
  add_up(app, options, "up");
  add_check(app, options);
  add_explain(app, options);
  add_views(app, options);
  add_actions(app, options);
  add_clients(app, options);
  add_maintenance(app, options);
  add_split(app, options);
  add_up(app, options, "server");
  show_commands(app);

  const std::string unknown = unknown_command(app, arguments);
  std::ranges::reverse(arguments);  // As CLI11 takes them.
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& end) {
    std::ostringstream out;
    std::ostringstream error;
    const int status = app.exit(end, out, error);
    if (status == 0) return std::unexpected(ParseEnd{.text = out.str()});
    return std::unexpected(usage_error(unknown.empty() ? error.str() : unknown));
  }
  if (colour == "always") options.colour = ColourWish::always;
  if (colour == "never") options.colour = ColourWish::never;

  const bool has_plan = app.get_subcommand("up")->count("PLAN") > 0;
  for (const std::string& wrong :
       {wrong_switches(options), wrong_sources(options, has_dashes, has_plan)}) {
    if (!wrong.empty()) return std::unexpected(usage_error(wrong));
  }
  return options;
}

}  // namespace spillway::cli
