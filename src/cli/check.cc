// cli/check.cc: `spillway check`.
#include <fmt/format.h>

#include "admin/json.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/plan_files.h"
#include "plan/loader.h"
#include "plan/schema.h"

namespace spillway::cli {
namespace {

std::string line_of(const plan::Problem& problem, std::string_view kind, Colour colour,
                    const Output& output) {
  std::string line = to_string(problem.place);
  if (!line.empty()) line += ": ";
  line += output.paint(kind, colour) + ": ";
  if (!problem.field.empty()) line += problem.field + ": ";
  return line + problem.message + "\n";
}

std::string count(size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

admin::Json list_of(const std::vector<plan::Problem>& problems) {
  admin::Json list = admin::Json::array();
  for (const plan::Problem& problem : problems) list.push_back(admin::to_json(problem));
  return list;
}

}  // namespace

int run_check(const Options& options, Output& output) {
  if (options.check.schema) {
    output.print(plan::json_schema());
    return exit_ok;
  }
  plan::LoadResult loaded = plan::load_file(options.check.plan);
  if (loaded.plan) check_files(loaded, true);
  const int status = loaded.plan ? exit_ok : exit_bad_usage;
  if (options.json) {
    const admin::Json json = {{"good", loaded.plan.has_value()},
                              {"errors", list_of(loaded.errors)},
                              {"warnings", list_of(loaded.warnings)}};
    output.print(admin::text_of(json, true) + "\n");
    return status;
  }
  for (const plan::Problem& problem : loaded.errors) {
    output.print(line_of(problem, "error", Colour::red, output));
  }
  for (const plan::Problem& problem : loaded.warnings) {
    output.print(line_of(problem, "warning", Colour::yellow, output));
  }
  if (!loaded.plan) {
    output.print(fmt::format("{}: {}\n", options.check.plan, count(loaded.errors.size(), "error")));
    return status;
  }
  output.print(fmt::format(
      "{}: {}: {}, {}, {}\n", options.check.plan, output.paint("good", Colour::green),
      count(loaded.plan->listen.size(), "listener"), count(loaded.plan->services.size(), "service"),
      count(loaded.plan->routes.size(), "route")));
  return status;
}

}  // namespace spillway::cli
