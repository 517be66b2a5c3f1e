// cli/up.cc: `spillway up`: the supervisor, which starts everything else.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "cli/commands.h"
#include "cli/control_token.h"
#include "cli/exit_status.h"
#include "cli/plan_files.h"
#include "cli/plan_source.h"
#include "deploy/instance.h"
#include "deploy/supervisor.h"
#include "runtime/descriptor_limit.h"
#include "runtime/epoll_driver.h"
#include "runtime/sd_notify.h"
#include "telemetry/log.h"

namespace spillway::cli {
namespace {

class ErrorStream final : public telemetry::LogSink {
 public:
  void write_line(std::string_view line) override {
    // The supervisor logs a line an event; a full pipe loses one rather than stops it.
    (void)!::write(STDERR_FILENO, line.data(), line.size());
  }
};

// How this program's file is found, now and after it was replaced.
std::string own_program() {
  std::error_code error;
  auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "spillway" : path.string();
}

// The words behind `up` and `server`: the same plan, from the same place.
std::vector<std::string> words(const char* command, const UpOptions& up) {
  std::vector<std::string> result{"spillway", command};
  if (up.watch) result.emplace_back("--watch");
  if (!up.to.empty()) {
    result.insert(result.end(), {"--to", up.to});
  } else if (!up.command.empty()) {
    result.emplace_back("--");
    result.insert(result.end(), up.command.begin(), up.command.end());
  } else {
    result.push_back(up.plan);
  }
  return result;
}

deploy::SupervisorOptions supervisor_options(const UpOptions& up, const plan::Plan& plan) {
  const auto limit = runtime::raise_descriptor_limit();
  deploy::SupervisorOptions options{.arguments = words("up", up),
                                    .server_arguments = words("server", up),
                                    .program = own_program(),
                                    .upgrade_checks = {{"--version"}},
                                    .user = plan.user,
                                    .drain = plan.shutdown.drain};
  if (limit) options.replica_descriptor_limit = limit->inherited;
  const bool has_file = up.to.empty() && up.command.empty();
  if (has_file) options.upgrade_checks.push_back({"check", up.plan});
  return options;
}

// The token survives an upgrade, in which this program is executed again with its environment.
Result<std::string> control_token() {
  if (const char* token = ::getenv(control_token_variable); token != nullptr) return token;
  TRY(token, deploy::make_token());
  ::setenv(control_token_variable, token.c_str(), 1);
  return token;
}

Result<deploy::InstanceFile> publish(const plan::Plan& plan, const std::string& source) {
  TRY(token, control_token());
  return deploy::InstanceFile::publish({.name = plan.name,
                                        .admin = to_string(plan.admin),
                                        .token = token,
                                        .pid = ::getpid(),
                                        .plan = source},
                                       deploy::instance_directories().front());
}

int supervise(const UpOptions& up, const plan::Plan& plan, Output& output) {
  auto driver = runtime::make_epoll_driver();
  if (!driver) {
    output.error(driver.error());
    return exit_failed;
  }
  ErrorStream sink;
  const auto format =
      ::isatty(STDERR_FILENO) == 1 ? telemetry::LogFormat::human : telemetry::LogFormat::json;
  telemetry::Log log(
      sink, [] { return std::chrono::system_clock::now(); }, telemetry::LogLevel::info, format);
  runtime::Loop loop(std::move(*driver), 0, static_cast<uint64_t>(::getpid()));
  auto activated = runtime::activated_sockets();
  if (!activated) {
    output.error(activated.error());
    return exit_failed;
  }
  deploy::Supervisor supervisor(loop, supervisor_options(up, plan), log,
                                runtime::ServiceManager::from_environment());
  for (runtime::ActivatedSocket& socket : *activated) {
    if (auto adopted = supervisor.adopt(std::move(socket)); !adopted) {
      output.error(adopted.error());
      return exit_failed;
    }
  }
  return supervisor.run();
}

}  // namespace

int run_up(const Options& options, Output& output) {
  const PlanSource source = plan_source(options.up);
  plan::LoadResult loaded = source.load();
  // In an upgrade the new program goes on with what it has: nobody would serve if it did not.
  const bool is_upgrade = ::getenv(control_token_variable) != nullptr;
  if (loaded.plan && !is_upgrade) check_files(loaded, false);
  for (const plan::Problem& warning : loaded.warnings) output.note(to_string(warning));
  for (const plan::Problem& problem : loaded.errors) output.error(to_string(problem));
  if (!loaded.plan) return exit_bad_usage;

  auto instance = publish(*loaded.plan, source.text);
  if (!instance) {
    output.error(instance.error());
    return exit_failed;
  }
  return supervise(options.up, *loaded.plan, output);
}

}  // namespace spillway::cli
