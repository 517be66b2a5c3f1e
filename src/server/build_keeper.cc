// server/build_keeper.cc: hard links to what is served, until nobody can want it any more.
#include "server/build_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "gateway/file_names.h"

namespace spillway::server {

namespace fs = std::filesystem;
using runtime::Task;

namespace {

constexpr Duration look_timeout = 10min;  // A copy of a large build to another disk takes its time.

std::unexpected<Error> trouble(const std::error_code& error, const fs::path& path) {
  return fail(system_error(error.value(), "keep " + path.string()));
}

bool is_same(const fs::directory_entry& entry, const fs::path& kept) {
  std::error_code error;
  if (fs::equivalent(entry.path(), kept, error)) return true;
  return fs::file_size(kept, error) == entry.file_size(error) &&
         fs::last_write_time(kept, error) == entry.last_write_time(error);
}

// In one step, so that nobody sees half of a file.
Result<void> keep_file(const fs::directory_entry& entry, const fs::path& kept) {
  std::error_code error;
  if (is_same(entry, kept)) return {};
  fs::create_directories(kept.parent_path(), error);
  if (error) return trouble(error, kept.parent_path());
  const fs::path draft = kept.string() + ".new";
  fs::remove(draft, error);
  fs::create_hard_link(entry.path(), draft, error);
  if (error == std::errc::cross_device_link || error == std::errc::operation_not_permitted) {
    fs::copy_file(entry.path(), draft, fs::copy_options::overwrite_existing, error);
    if (!error) fs::last_write_time(draft, entry.last_write_time(error), error);
  }
  if (error == std::errc::no_such_file_or_directory) return {};  // The build goes on meanwhile.
  if (error) return trouble(error, kept);
  fs::rename(draft, kept, error);
  if (error) return trouble(error, kept);
  return {};
}

// Calls `visit` with each regular file below `folder` and its name there.
template <class Visit>
Result<void> for_each_file(const fs::path& folder, Visit&& visit) {
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error);
  if (error == std::errc::no_such_file_or_directory) return {};
  if (error) return trouble(error, folder);
  size_t seen = 0;
  for (const fs::recursive_directory_iterator end; at != end; at.increment(error)) {
    if (error) return {};  // It changes under us; the next look sees it whole.
    if (++seen > kept_files_max) {
      return fail(Error::Code::limit_exceeded,
                  fmt::format("{} has more than {} files", folder.string(), kept_files_max));
    }
    if (!at->is_regular_file(error) || at->is_symlink(error)) continue;
    TRY_VOID(visit(*at, at->path().lexically_relative(folder).generic_string()));
  }
  return {};
}

}  // namespace

Result<KeptFiles> keep_build(const KeptBuild& build, LastSeen last_seen, Instant now,
                             const std::stop_token& stop) {
  const fs::path kept_in = build.kept_in;
  TRY_VOID(for_each_file(
      build.folder, [&](const fs::directory_entry& entry, const std::string& name) -> Result<void> {
        if (stop.stop_requested()) return fail(Error::Code::cancelled, "we are about to end");
        if (!gateway::never_changes(build.files, build.prefix + name, name)) return {};
        last_seen[name] = now;
        return keep_file(entry, kept_in / name);
      }));
  KeptFiles kept;
  TRY_VOID(for_each_file(
      kept_in, [&](const fs::directory_entry& entry, const std::string& name) -> Result<void> {
        std::error_code error;
        const Instant seen = last_seen.try_emplace(name, now).first->second;
        if (now - seen > build.keep) {
          fs::remove(entry.path(), error);
          return {};
        }
        kept.last_seen[name] = seen;
        ++kept.files;
        kept.bytes += entry.file_size(error);
        return {};
      }));
  return kept;
}

BuildKeeper::BuildKeeper(runtime::Loop& control, runtime::BlockingPool& pool, telemetry::Log& log,
                         telemetry::Registry& registry)
    : control_(control),
      pool_(pool),
      log_(log),
      files_(registry.global_gauge(
          registry.family({.name = "spillway_kept_files",
                           .help = "Files of this build and earlier ones that `files.keep` holds.",
                           .type = telemetry::MetricType::gauge}),
          {})),
      bytes_(registry.global_gauge(
          registry.family({.name = "spillway_kept_files_bytes",
                           .help = "Their bytes; those of this build are shared with it.",
                           .type = telemetry::MetricType::gauge}),
          {})),
      wake_(control) {}

void BuildKeeper::follow(const plan::Plan& plan) {
  builds_.clear();
  const fs::path folder = plan.folder;
  for (const gateway::RouteConfig& route : plan.routes) {
    if (!route.files || !route.files->keep) continue;
    const std::string& text = route.path.text;
    builds_.push_back({.folder = (folder / route.files->folder).lexically_normal().string(),
                       .kept_in = (folder / route.files->keep->folder).lexically_normal().string(),
                       // What is gone was seen last up to one look before.
                       .keep = route.files->keep->within + look_every,
                       .prefix = text.substr(0, text.rfind('/') + 1),
                       .files = *route.files});
  }
  std::erase_if(kept_, [this](const auto& kept) {
    return std::ranges::find(builds_, kept.first, &KeptBuild::kept_in) == builds_.end();
  });
  wake_.set();
}

void BuildKeeper::stop() {
  stop_.request_stop();
  wake_.set();
}

Task<void> BuildKeeper::run() {
  while (!stop_.stop_requested()) {
    wake_.reset();
    const std::vector<KeptBuild> builds = builds_;  // A reload may change them meanwhile.
    for (const KeptBuild& build : builds) co_await look(build);
    uint64_t files = 0;
    uint64_t bytes = 0;
    for (const auto& [folder, kept] : kept_) {
      files += kept.files;
      bytes += kept.bytes;
    }
    files_.set(static_cast<double>(files));
    bytes_.set(static_cast<double>(bytes));
    const Deadline next =
        builds_.empty() ? Deadline::never() : Deadline::after(control_.now(), look_every);
    (void)co_await wake_.wait(next);
  }
}

Task<void> BuildKeeper::look(KeptBuild build) {
  std::move_only_function<Result<KeptFiles>()> work = [build, seen = kept_[build.kept_in].last_seen,
                                                       now = control_.now(),
                                                       stop = stop_.get_token()]() mutable {
    return keep_build(build, std::move(seen), now, stop);
  };
  auto looked =
      co_await pool_.run(control_, std::move(work), Deadline::after(control_.now(), look_timeout));
  Result<KeptFiles> kept = looked ? std::move(*looked) : fail(std::move(looked).error());
  std::string& said = trouble_[build.kept_in];
  if (kept) {
    kept_[build.kept_in] = std::move(*kept);
    said.clear();
  } else if (said != kept.error().detail) {
    said = kept.error().detail;
    log_.warn("files of this build are not kept", {{"error", said}});
  }
}

}  // namespace spillway::server
