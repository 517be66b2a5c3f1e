// server/build_keeper.h: keeps the files of earlier builds for a while, for pages that are open.
#pragma once

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "plan/plan.h"
#include "runtime/blocking_pool.h"
#include "runtime/event.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "telemetry/log.h"
#include "telemetry/registry.h"

namespace spillway::server {

// One folder of a plan and where its files are kept.
struct KeptBuild {
  std::string folder;
  std::string kept_in;
  Duration keep{};
  std::string prefix;  // Of the route: what the names of files begin with in requests.
  gateway::FilesConfig files;
};

// When each kept file was last part of the build, by its name.
using LastSeen = std::map<std::string, Instant>;

struct KeptFiles {
  uint64_t files = 0;
  uint64_t bytes = 0;
  LastSeen last_seen;
};

// Links (or copies, where it is another file system) what never changes in `build.folder` to
// `build.kept_in`, and takes out what has not been part of the build for longer than `build.keep`.
// What was kept before we came counts as seen now. At most kept_files_max files. Errors: io,
// permission; limit_exceeded; cancelled, by `stop`, between two files. Blocks.
inline constexpr size_t kept_files_max = 50'000;
Result<KeptFiles> keep_build(const KeptBuild& build, LastSeen last_seen, Instant now,
                             const std::stop_token& stop = {});

// Does that for all routes with `files.keep`, again and again. On the control loop; its work is
// done on the pool.
class BuildKeeper {
 public:
  static constexpr Duration look_every = 5s;

  BuildKeeper(runtime::Loop& control, runtime::BlockingPool& pool, telemetry::Log& log,
              telemetry::Registry& registry);

  // From now on those of this plan.
  void follow(const plan::Plan& plan);
  runtime::Task<void> run();  // Until stop().
  void stop();

 private:
  runtime::Task<void> look(KeptBuild build);

  runtime::Loop& control_;
  runtime::BlockingPool& pool_;
  telemetry::Log& log_;
  telemetry::GlobalGauge files_;
  telemetry::GlobalGauge bytes_;
  std::vector<KeptBuild> builds_;
  std::map<std::string, KeptFiles> kept_;       // By where they are kept.
  std::map<std::string, std::string> trouble_;  // What was logged last, so that it is said once.
  runtime::Event wake_;
  std::stop_source stop_;  // The job of the pool looks at it.
};

}  // namespace spillway::server
