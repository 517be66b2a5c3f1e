// deploy/replica_record.h: a replica's record as JSON, for messages and for an upgrade.
#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "deploy/control_protocol.h"

namespace spillway::deploy {

nlohmann::json to_json(const ReplicaRecord& record);
Result<ReplicaRecord> replica_record(const nlohmann::json& value);

}  // namespace spillway::deploy
