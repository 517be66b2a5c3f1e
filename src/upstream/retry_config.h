// upstream/retry_config.h: when work is tried again or twice, and when an endpoint is spared.
#pragma once

#include <cstdint>

#include "base/fields.h"
#include "base/quantity.h"
#include "base/time.h"

namespace spillway::upstream {

// How much extra work may be added: a share of the requests of the last 10 s, and at least a rate.
struct BudgetConfig {
  Share share = Share::percent(20);
  Rate least = {.count = 10, .per = 1s};

  bool operator==(const BudgetConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("share", &BudgetConfig::share,
                {.doc = "Extra attempts are at most this share of the requests of the last 10 s.",
                 .minimum = 0,
                 .maximum = 100,
                 .unit = "%",
                 .raising = "An outage is multiplied by as much."});
    visit.field("least", &BudgetConfig::least,
                {.doc = "So many extra attempts are allowed even with few requests."});
  }
};

struct RetryConfig {
  uint32_t attempts = 3;
  BudgetConfig budget;

  bool operator==(const RetryConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("attempts", &RetryConfig::attempts,
                {.doc = "Attempts per request, the first included; further ones only if nothing "
                        "of the request can have acted, or its method may be repeated.",
                 .minimum = 1,
                 .maximum = 10});
    visit.field("budget", &RetryConfig::budget,
                {.doc = "Bounds retries of all requests together."});
  }
};

// A second attempt, at another endpoint, while the first is still waited for; the first answer wins
// and the other attempt is given up. Only for GET, HEAD and OPTIONS, which may run twice at once
// (RFC 9110 section 9.2.1), without upgrade, from clients that no cookie keeps at one endpoint.
struct HedgeConfig {
  Duration after = 1s;
  BudgetConfig budget = {.share = Share::percent(5), .least = {.count = 1, .per = 1s}};

  bool operator==(const HedgeConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("after", &HedgeConfig::after,
                {.doc = "Sends GET, HEAD and OPTIONS to a second endpoint as well if the first has "
                        "not begun to answer after this long; about the 95th percentile of the "
                        "answer times is a good value.",
                 .minimum = 0.001,
                 .maximum = 60,
                 .unit = "s",
                 .required = true});
    visit.field("budget", &HedgeConfig::budget, {.doc = "Bounds hedges of all requests together."});
  }
};

// Spares an endpoint that takes requests and fails them. A refused connection is not counted: it
// costs nobody anything, and ejection and probes see to it. Nor is a client that hangs up.
struct BreakerConfig {
  Share error_share = Share::percent(50);
  uint32_t requests = 20;
  Duration open = 30s;

  bool operator==(const BreakerConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("error_share", &BreakerConfig::error_share,
                {.doc = "Opens when this share of the requests of the last 10 s failed: broken or "
                        "late answers, and statuses of 500 and above.",
                 .minimum = 0.1,
                 .maximum = 100,
                 .unit = "%"});
    visit.field("requests", &BreakerConfig::requests,
                {.doc = "With fewer requests in the last 10 s it stays closed.",
                 .minimum = 1,
                 .maximum = 1000000});
    visit.field("open", &BreakerConfig::open,
                {.doc = "How long it lets nothing through; then one request may try.",
                 .minimum = 0.1,
                 .maximum = 3600,
                 .unit = "s"});
  }
};

}  // namespace spillway::upstream
