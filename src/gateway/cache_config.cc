// gateway/cache_config.cc: the short form of a route's cache.
#include "gateway/cache_config.h"

#include <fmt/format.h>

namespace spillway::gateway {

Result<RouteCacheConfig> RouteCacheConfig::parse(std::string_view text) {
  RouteCacheConfig config;
  if (text == "on") return config;
  const auto ttl = parse_duration(text);
  if (!ttl) {
    return fail(
        Error::Code::invalid,
        fmt::format("\"{}\" is not known; expected on, off, a ttl such as 5m, or fields", text));
  }
  config.ttl = *ttl;
  return config;
}

}  // namespace spillway::gateway
