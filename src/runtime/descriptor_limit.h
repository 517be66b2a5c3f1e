// runtime/descriptor_limit.h: how many descriptors this process may have, raised to what it can.
#pragma once

#include <cstdint>

#include "base/error.h"

namespace spillway::runtime {

struct DescriptorLimit {
  uint64_t inherited = 0;  // The soft limit we were started with; children get it back, because
                           // programs that use select(2) fail above 1,024.
  uint64_t usable = 0;     // Ours from now on: the hard limit.
};

// Raises the soft RLIMIT_NOFILE to the hard one. Error: io.
Result<DescriptorLimit> raise_descriptor_limit();

}  // namespace spillway::runtime
