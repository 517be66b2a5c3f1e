// upstream/health_config.h: how endpoints are probed, and when one that fails is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fields.h"
#include "base/quantity.h"
#include "base/time.h"
#include "upstream/status_config.h"

namespace spillway::upstream {

// Active checks. Without them an endpoint counts as healthy until its answers say otherwise.
struct HealthConfig {
  std::string path = "/health";
  std::optional<std::string> grpc;
  Duration every = 10s;
  Duration timeout = 5s;
  uint32_t failures = 3;
  uint32_t successes = 1;
  Duration grace = 0s;
  StatusRanges status;
  std::optional<std::string> host;
  std::string user_agent = "spillway-health";
  Share panic = Share::percent(50);

  bool operator==(const HealthConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("path", &HealthConfig::path,
                {.doc = "What each endpoint is asked with GET.", .example = "/health"});
    visit.field("grpc", &HealthConfig::grpc,
                {.doc = "Asks grpc.health.v1.Health/Check for the service of this name, instead of "
                        "`path`; an empty name asks for the server as a whole. Absent: a GET.",
                 .example = "shop.Orders"});
    visit.field("every", &HealthConfig::every,
                {.doc = "Pause between two probes of an endpoint. One that is not healthy is asked "
                        "at least once a second, so that its return is noticed soon.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s",
                 .raising = "A dead endpoint is noticed later."});
    visit.field("timeout", &HealthConfig::timeout,
                {.doc = "A probe without a whole answer after this long has failed.",
                 .minimum = 0.01,
                 .maximum = 300,
                 .unit = "s"});
    visit.field("failures", &HealthConfig::failures,
                {.doc = "So many failed probes in a row make an endpoint unhealthy.",
                 .minimum = 1,
                 .maximum = 100});
    visit.field("successes", &HealthConfig::successes,
                {.doc = "So many good probes in a row make an endpoint healthy.",
                 .minimum = 1,
                 .maximum = 100});
    visit.field("grace", &HealthConfig::grace,
                {.doc = "For this long after an endpoint appears, and until its first good probe, "
                        "failed probes do not count.",
                 .minimum = 0,
                 .maximum = 3600,
                 .unit = "s"});
    visit.field("status", &HealthConfig::status,
                {.doc = "The status codes of a good answer.", .example = "200-399"});
    visit.field("host", &HealthConfig::host,
                {.doc = "Host of the probe; the endpoint's own address if absent."});
    visit.field("user_agent", &HealthConfig::user_agent, {.doc = "User-Agent of the probe."});
    visit.field("panic", &HealthConfig::panic,
                {.doc = "If less than this share of the endpoints is healthy, the verdicts are "
                        "doubted and all of them are used.",
                 .minimum = 0,
                 .maximum = 100,
                 .unit = "%"});
  }
};

// Passive checks: an endpoint whose real requests fail is left out for a while.
struct EjectionConfig {
  uint32_t failures = 5;
  Duration time = 10s;
  Duration time_max = 5min;
  Share share = Share::percent(50);

  bool operator==(const EjectionConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("failures", &EjectionConfig::failures,
                {.doc = "So many failed requests in a row eject an endpoint: no connection, a "
                        "broken or late answer, or a status of 500 and above.",
                 .minimum = 1,
                 .maximum = 10000});
    visit.field("time", &EjectionConfig::time,
                {.doc = "How long the first ejection lasts; each further one lasts once longer, "
                        "until the endpoint has behaved for as long as `time_max`.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s"});
    visit.field(
        "time_max", &EjectionConfig::time_max,
        {.doc = "No ejection lasts longer.", .minimum = 0.1, .maximum = 86400, .unit = "s"});
    visit.field("share", &EjectionConfig::share,
                {.doc = "At most this share of the endpoints is ejected at a time, rounded down: "
                        "a single endpoint never is.",
                 .minimum = 0,
                 .maximum = 100,
                 .unit = "%"});
  }
};

}  // namespace spillway::upstream
