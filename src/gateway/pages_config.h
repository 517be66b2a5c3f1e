// gateway/pages_config.h: pages for people where something went wrong, or is closed for a while.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/fields.h"
#include "base/time.h"
#include "upstream/status_config.h"

namespace spillway::gateway {

inline constexpr size_t page_bytes_max = 1 << 20;  // Each is kept in memory.
inline constexpr size_t error_pages_max = 64;      // Looked through for each error.

// One page and the answers that it is for.
struct ErrorPageConfig {
  upstream::StatusRanges status;
  std::string file;
  bool intercept = false;

  bool operator==(const ErrorPageConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("status", &ErrorPageConfig::status,
                {.doc = "The statuses, 400 to 599, that it is for.",
                 .required = true,
                 .example = "500-599"});
    visit.field("file", &ErrorPageConfig::file,
                {.doc = "A file of at most 1 MB beside the plan, read at each reload. {status}, "
                        "{reason} and {request_id} in it are filled in. Its name's ending tells "
                        "its type: html, json, txt, xml, svg.",
                 .required = true,
                 .example = "pages/500.html"});
    visit.field("intercept", &ErrorPageConfig::intercept,
                {.doc = "Shown instead of the bodies of services' answers, too, not for our own "
                        "errors alone."});
  }
};

// For when the application must not be asked.
struct MaintenanceConfig {
  bool enabled = false;
  std::optional<std::string> page;
  Duration retry_after = 10min;
  std::vector<IpPrefix> allow;

  bool operator==(const MaintenanceConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("enabled", &MaintenanceConfig::enabled,
                {.doc = "All requests are answered 503. `spillway maintenance on` and `off` decide "
                        "it while running."});
    visit.field("page", &MaintenanceConfig::page,
                {.doc = "The file that is shown, as `error_pages` has it. A line of text if absent "
                        "and no error page is for 503.",
                 .example = "pages/maintenance.html"});
    visit.field("retry_after", &MaintenanceConfig::retry_after,
                {.doc = "When clients and search engines should come again (Retry-After).",
                 .minimum = 1,
                 .maximum = 7 * 86'400,
                 .unit = "s"});
    visit.field("allow", &MaintenanceConfig::allow,
                {.doc = "These clients are served all the same.", .example = "[10.0.0.0/8]"});
  }
};

}  // namespace spillway::gateway
