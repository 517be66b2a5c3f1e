// server/status_view.h: a cluster's own words in those of the control API.
#pragma once

#include <span>

#include "admin/instance_view.h"
#include "upstream/status.h"

namespace spillway::server {

// An endpoint that gets requests, or would if it had room.
bool is_usable(const upstream::EndpointStatus& endpoint);

// One service with its endpoints, each joined with its replica by name. Replicas that are no
// endpoint yet (starting, or waiting to be started again) come last. Pure.
admin::ServiceStatus view_of(const upstream::ClusterStatus& cluster, bool is_supervised,
                             std::span<const admin::SupervisedReplica> replicas);

}  // namespace spillway::server
