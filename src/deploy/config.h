// deploy/config.h: how replicas of a command are started, counted, replaced, restarted and stopped.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/time.h"

namespace spillway::deploy {

// Between how many replicas a service may be scaled. Written { min: 2, max: 6 }, or 3 for just
// that.
struct ReplicasConfig {
  uint32_t min = 1;
  std::optional<uint32_t> max;

  static constexpr uint32_t replicas_max = 1000;  // Of one service on one machine: beyond sense.
  static Result<ReplicasConfig> parse(std::string_view text);
  uint32_t most() const { return max.value_or(min); }
  bool operator==(const ReplicasConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("min", &ReplicasConfig::min,
                {.doc = "As many replicas are started, and never fewer wanted.",
                 .minimum = 1,
                 .maximum = replicas_max,
                 .raising = "The memory and CPU of each replica."});
    visit.field("max", &ReplicasConfig::max,
                {.doc = "Never more replicas than this are wanted. As `min` if absent. A rollout "
                        "adds `rollout.parallel` for a moment.",
                 .minimum = 1,
                 .maximum = replicas_max,
                 .raising = "The memory and CPU of each replica, and its database connections."});
  }
};

// When a replica may be sent its first request.
struct ReadyConfig {
  std::optional<std::string> path;
  Duration every = 250ms;
  Duration probe_timeout = 2s;
  Duration timeout = 60s;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field(
        "path", &ReadyConfig::path,
        {.doc = "A GET of this path has to answer 200 to 399 before the replica gets "
                "requests. If absent, it is ready as soon as its port accepts a connection.",
         .example = "/ready"});
    visit.field("every", &ReadyConfig::every,
                {.doc = "The pause between two such questions.",
                 .minimum = 0.01,
                 .maximum = 60,
                 .unit = "s"});
    visit.field("probe_timeout", &ReadyConfig::probe_timeout,
                {.doc = "A question without a whole answer after this long has failed.",
                 .minimum = 0.01,
                 .maximum = 300,
                 .unit = "s"});
    visit.field("timeout", &ReadyConfig::timeout,
                {.doc = "A replica that is not ready by then is stopped and counts as failed.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s",
                 .raising = "A replica that hangs while it starts is noticed later."});
  }
};

// How replicas are replaced by `spillway deploy` or a changed plan: new ready, then old drained.
struct RolloutConfig {
  uint32_t parallel = 1;
  Duration pause = 0s;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("parallel", &RolloutConfig::parallel,
                {.doc = "How many replicas are replaced at the same time.",
                 .minimum = 1,
                 .maximum = 100,
                 .raising = "As many replicas more run for a moment."});
    visit.field("pause", &RolloutConfig::pause,
                {.doc = "The pause after a new replica is ready, before the next one is replaced.",
                 .maximum = 3600,
                 .unit = "s",
                 .example = "10s"});
  }
};

// What happens when a replica ends by itself: started again at once, then after growing pauses.
struct RestartConfig {
  Duration pause = 1s;
  Duration pause_max = 30s;
  std::optional<uint32_t> give_up;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("pause", &RestartConfig::pause,
                {.doc = "The first restart comes at once, the second after this pause; each next "
                        "pause is twice as long. A replica that stayed ready starts afresh.",
                 .minimum = 0.01,
                 .maximum = 3600,
                 .unit = "s"});
    visit.field("pause_max", &RestartConfig::pause_max,
                {.doc = "The longest pause between two restarts.",
                 .minimum = 0.01,
                 .maximum = 86'400,
                 .unit = "s"});
    visit.field("give_up", &RestartConfig::give_up,
                {.doc = "After so many failed starts in a row the replica is left alone until a "
                        "deploy or a reload. If absent, it is tried for ever.",
                 .minimum = 1,
                 .maximum = 1'000'000,
                 .example = "3"});
  }
};

// How a replica is stopped: TERM to its whole process group, then KILL.
struct StopConfig {
  Duration grace = 10s;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field(
        "grace", &StopConfig::grace,
        {.doc = "From TERM to KILL, both to the replica's whole process group. It gets TERM "
                "only once it has no requests left or its drain has ended.",
         .maximum = 3600,
         .unit = "s",
         .raising = "A replica that ignores TERM delays a deploy or a stop as long."});
  }
};

// A command of the user's that we run in replicas, each told its PORT.
struct ProcessConfig {
  std::vector<std::string> run;
  std::map<std::string, std::string> env;
  std::optional<std::string> cwd;
  std::optional<std::string> user;
  ReplicasConfig replicas;
  ReadyConfig ready;
  RolloutConfig rollout;
  RestartConfig restart;
  StopConfig stop;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field(
        "run", &ProcessConfig::run,
        {.doc = "The command and its arguments, without a shell. Each replica finds its own "
                "port in PORT and has to listen there on 127.0.0.1 or any address.",
         .example = "[node, server.js]"});
    visit.field("env", &ProcessConfig::env,
                {.doc = "Environment variables for the command, on top of our own.",
                 .secret = true,
                 .example = "{ NODE_ENV: production }"});
    visit.field("cwd", &ProcessConfig::cwd,
                {.doc = "The command's working directory, relative to the plan file's. That "
                        "directory itself if absent.",
                 .example = "./app"});
    visit.field("user", &ProcessConfig::user,
                {.doc = "The user the command runs as; needs a start as root. The plan's `user` if "
                        "absent."});
    visit.field("replicas", &ProcessConfig::replicas, {.doc = "How many replicas run."});
    visit.field("ready", &ProcessConfig::ready, {.doc = "When a new replica gets requests."});
    visit.field("rollout", &ProcessConfig::rollout, {.doc = "How replicas are replaced."});
    visit.field("restart", &ProcessConfig::restart,
                {.doc = "When a replica that ended by itself is started again."});
    visit.field("stop", &ProcessConfig::stop, {.doc = "How a replica is stopped."});
  }
};

}  // namespace spillway::deploy
