// cli/check.cc: `spillway check`.
#include <fmt/format.h>

#include "admin/json.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "plan/loader.h"
#include "plan/schema.h"
#include "server/certificates.h"
#include "server/client_lists.h"
#include "server/identities.h"

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

// What only a reading of the files can tell. A plan may be checked where its secrets are not.
void note_files(plan::LoadResult& loaded, const char* field, const Result<void>& checked) {
  if (checked) return;
  const Error& error = checked.error();
  const bool is_absent =
      error.code == Error::Code::not_found || error.code == Error::Code::permission;
  (is_absent ? loaded.warnings : loaded.errors).push_back({{}, field, error.detail});
}

void read_files(plan::LoadResult& loaded) {
  note_files(loaded, "tls", server::check_certificates(*loaded.plan));
  note_files(loaded, "clients.countries.file", server::check_clients(*loaded.plan));
  note_files(loaded, "auth", server::check_identities(*loaded.plan));
  if (!loaded.errors.empty()) loaded.plan.reset();
}

}  // namespace

int run_check(const Options& options, Output& output) {
  if (options.check.schema) {
    output.print(plan::json_schema());
    return exit_ok;
  }
  plan::LoadResult loaded = plan::load_file(options.check.plan);
  if (loaded.plan) {
    read_files(loaded);
  }
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
