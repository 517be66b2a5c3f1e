// gateway/split_config.h: one route's requests divided among services: canary, blue and green.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/quantity.h"
#include "gateway/limit_config.h"

namespace spillway::gateway {

inline constexpr size_t split_targets_max = 8;  // Each has series of its own in the metrics.

// One side of a split.
struct SplitTarget {
  std::string service;
  std::optional<Share> share;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> cookies;

  bool operator==(const SplitTarget&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("service", &SplitTarget::service,
                {.doc = "A name under `services`.", .required = true, .example = "canary"});
    visit.field("share", &SplitTarget::share,
                {.doc = "So many of the clients go here. The first service has none: it gets what "
                        "the others leave.",
                 .unit = "%",
                 .example = "5%"});
    visit.field("headers", &SplitTarget::headers,
                {.doc = "Requests with one of these header values go here, whatever the share; "
                        "\"*\" is any value.",
                 .example = "{ x-canary: \"1\" }"});
    visit.field("cookies", &SplitTarget::cookies,
                {.doc = "The same for cookies.", .example = "{ release: next }"});
  }
};

// Instead of one `service`. A client stays on its side while shares stay, and a share that grows
// takes clients from the first service alone: nobody who has seen the new release sees the old one
// again.
struct SplitConfig {
  std::vector<SplitTarget> to;
  LimitKey by;  // ip, user, header or cookie.

  bool operator==(const SplitConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("to", &SplitConfig::to,
                {.doc = "The services, the one to fall back to first; 2 to 8. `spillway split` "
                        "changes their shares while running, or sends everybody back at once.",
                 .required = true,
                 .example = "[{ service: web }, { service: canary, share: 5% }]"});
    visit.field("by", &SplitConfig::by,
                {.doc = "Which requests stay together: those of one ip, user (who signed in), "
                        "header:NAME or cookie:NAME. Those without a user, header or cookie go by "
                        "their ip.",
                 .example = "cookie:session"});
  }
};

}  // namespace spillway::gateway
