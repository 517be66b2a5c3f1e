// deploy/config.cc: reads the short form of `replicas`.
#include "deploy/config.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace spillway::deploy {

Result<ReplicasConfig> ReplicasConfig::parse(std::string_view text) {
  const auto count = parse_decimal<uint32_t>(text);
  if (!count || *count == 0 || *count > replicas_max) {
    return fail(
        Error::Code::invalid,
        fmt::format("\"{}\" is not a number of replicas from 1 to {}, such as 3, or a range "
                    "such as {{ min: 2, max: 6 }}",
                    text, replicas_max));
  }
  return ReplicasConfig{.min = *count, .max = count};
}

}  // namespace spillway::deploy
