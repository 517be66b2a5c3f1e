// server/welcome.h: what `spillway up` tells a person once everything runs.
#pragma once

#include <string>
#include <vector>

#include "admin/instance_view.h"
#include "admin/status.h"
#include "plan/plan.h"

namespace spillway::server {

// What was started, where to look, what to try next: some lines, each with its end.
std::string welcome(const plan::Plan& plan, const std::vector<admin::ListenerStatus>& listeners,
                    const std::string& admin, const std::string& source,
                    const std::vector<admin::SupervisedReplica>& replicas);

}  // namespace spillway::server
