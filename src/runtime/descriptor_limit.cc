// runtime/descriptor_limit.cc: getrlimit and setrlimit of RLIMIT_NOFILE.
#include "runtime/descriptor_limit.h"

#include <sys/resource.h>

#include <cerrno>

namespace spillway::runtime {

Result<DescriptorLimit> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail(system_error(errno, "read the descriptor limit"));
  }
  const uint64_t inherited = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return fail(system_error(errno, "raise the descriptor limit"));
  }
  return DescriptorLimit{.inherited = inherited, .usable = limit.rlim_max};
}

}  // namespace spillway::runtime
