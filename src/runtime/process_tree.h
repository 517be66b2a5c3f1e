// runtime/process_tree.h: which processes descend from which, as /proc shows it.
#pragma once

#include <sys/types.h>

#include <vector>

namespace spillway::runtime {

// All living descendants of `root`, parents before children, zombies left out. A snapshot: whoever
// ends them must look again until there are none. Blocks for about 10 us per process of the
// machine.
std::vector<pid_t> descendants_of(pid_t root);
// The direct children of `root`, zombies included.
std::vector<pid_t> children_of(pid_t root);

}  // namespace spillway::runtime
