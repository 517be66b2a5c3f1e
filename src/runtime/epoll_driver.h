// runtime/epoll_driver.h: the driver of production: epoll, edge-triggered, one per core.
#pragma once

#include <memory>

#include "base/error.h"
#include "runtime/driver.h"

namespace spillway::runtime {

// Each descriptor is registered once, for input and output, and never modified: a busy connection
// costs no epoll_ctl per request (epoll(7), EPOLLET). Error: overloaded, when no descriptor is
// left.
Result<std::unique_ptr<Driver>> make_epoll_driver();

}  // namespace spillway::runtime
