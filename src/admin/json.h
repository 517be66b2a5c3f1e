// admin/json.h: what the control API sends, to and from JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "admin/instance_view.h"
#include "admin/log_ring.h"
#include "admin/status.h"
#include "base/error.h"
#include "gateway/explain.h"

namespace spillway::admin {

// Keeps the order in which members were added, for people.
using Json = nlohmann::ordered_json;

// Durations are numbers of seconds, and their members end in `_seconds`; sizes end in `_bytes`,
// shares are of one. What is absent has no member.
Json to_json(const InstanceStatus& status);
Json to_json(const gateway::Explanation& explanation);
Json to_json(const ReloadReport& report);
Json to_json(const DrainReport& report);
Json to_json(const std::vector<ClientEntry>& clients);
Json to_json(const SwitchesStatus& switches);
Json to_json(const std::vector<ComponentCheck>& checks);
Json to_json(const plan::Problem& problem);
Json to_json(const LogLine& line);

// For the commands that show what they were sent. Members that are missing or of another type keep
// their defaults, so that a newer or older program still shows what both know.
InstanceStatus status_from_json(const Json& json);
gateway::Explanation explanation_from_json(const Json& json);
plan::Problem problem_from_json(const Json& json);
ClientEntry client_from_json(const Json& json);
SwitchesStatus switches_from_json(const Json& json);

// Civil time in UTC to the millisecond, as RFC 3339 writes it.
std::string time_text(WallTime time);

// Bytes that are not UTF-8 become U+FFFD. With an indent for people, without for machines.
std::string text_of(const Json& json, bool is_for_people = false);
// Error: invalid.
Result<Json> parse_json(std::string_view text);

// {"error": {"code": ..., "message": ...}}
Json error_json(std::string_view code, std::string_view message);

}  // namespace spillway::admin
