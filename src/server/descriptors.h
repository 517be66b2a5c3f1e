// server/descriptors.h: as many descriptors as the plan needs, or as many clients as there are.
#pragma once

#include <cstdint>

#include "plan/plan.h"
#include "telemetry/log.h"

namespace spillway::server {

// Raises the limit of open files to what the plan needs or names, as far as the system allows it.
// Returns how many client connections fit: the plan's number, or fewer, and then a warning says so.
uint64_t make_room_for_connections(const plan::Plan& plan, telemetry::Log& log);

}  // namespace spillway::server
