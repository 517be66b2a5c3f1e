// telemetry/prometheus_text.h: metrics in the Prometheus text exposition format, version 0.0.4.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "telemetry/registry.h"

namespace spillway::telemetry {

// The Content-Type of the answer to a scrape.
inline constexpr std::string_view prometheus_content_type =
    "text/plain; version=0.0.4; charset=utf-8";

// One HELP and TYPE line per family that has series, then its series. Label values that are not
// UTF-8 get U+FFFD for each wrong byte, as the format allows UTF-8 only. Pure; any thread.
std::string prometheus_text(std::span<const FamilySnapshot> families);

}  // namespace spillway::telemetry
