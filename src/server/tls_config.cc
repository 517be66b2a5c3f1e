// server/tls_config.cc: the short form and the header of HSTS.
#include "server/tls_config.h"

#include <fmt/format.h>

#include "base/quantity.h"

namespace spillway::server {

Result<HstsConfig> HstsConfig::parse(std::string_view text) {
  TRY(max_age, parse_duration(text));
  return HstsConfig{.max_age = max_age};
}

std::string HstsConfig::value() const {
  return fmt::format("max-age={}{}{}",
                     std::chrono::duration_cast<std::chrono::seconds>(max_age).count(),
                     subdomains ? "; includeSubDomains" : "", preload ? "; preload" : "");
}

}  // namespace spillway::server
