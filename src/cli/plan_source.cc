// cli/plan_source.cc: plans from files and from the words of the command line.
#include "cli/plan_source.h"

#include <filesystem>

namespace spillway::cli {
namespace {

plan::LoadResult result_of(Result<plan::Plan> plan) {
  plan::LoadResult result;
  if (plan) {
    result.plan = std::move(*plan);
  } else {
    result.errors.push_back({{}, "", plan.error().detail});
  }
  return result;
}

}  // namespace

PlanSource plan_source(const UpOptions& options) {
  if (!options.to.empty()) {
    return {.text = "--to " + options.to,
            .load = [to = options.to] { return result_of(plan::to_address(to)); }};
  }
  if (!options.command.empty()) {
    std::string text = "--";
    for (const std::string& word : options.command) text += " " + word;
    return {.text = std::move(text),
            .load = [command = options.command] { return result_of(plan::from_command(command)); }};
  }
  std::error_code error;
  const auto absolute = std::filesystem::absolute(options.plan, error);
  return {.text = error ? options.plan : absolute.lexically_normal().string(),
          .load = [path = options.plan] { return plan::load_file(path); },
          .is_file = true};
}

}  // namespace spillway::cli
