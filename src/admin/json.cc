// admin/json.cc: writes and reads the values whose members json_fields.h lists.
#include "admin/json.h"

#include <fmt/format.h>

#include <chrono>
#include <type_traits>

#include "admin/json_fields.h"

namespace spillway::admin {
namespace {

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
Json write(const T& value);

struct Writer {
  template <class T>
  void operator()(const char* name, const T& value) {
    if constexpr (IsOptional<T>::value) {
      if (value) into[name] = write(*value);
    } else {
      into[name] = write(value);
    }
  }
  Json& into;
};

template <class T>
Json write(const T& value) {
  if constexpr (std::is_same_v<T, Duration>) {
    return static_cast<double>(value.count()) * 1e-9;
  } else if constexpr (IsVector<T>::value) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(write(item));
    return list;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return value;
  } else {
    Json object = Json::object();
    Writer writer{object};
    fields(writer, value);
    return object;
  }
}

template <class T>
void read(const Json& json, T& value);

struct Reader {
  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = from.find(name);
    if (found != from.end()) read(*found, value);
  }
  const Json& from;
};

// A number that a double holds and the type does not stays what it was.
template <class T>
void read_number(const Json& json, T& value) {
  if (!json.is_number()) return;
  if constexpr (std::is_floating_point_v<T>) {
    value = json.get<double>();
  } else if (json.is_number_unsigned()) {
    const auto number = json.get<uint64_t>();
    if (std::in_range<T>(number)) value = static_cast<T>(number);
  } else if (json.is_number_integer()) {
    const auto number = json.get<int64_t>();
    if (std::in_range<T>(number)) value = static_cast<T>(number);
  }
}

constexpr double seconds_max = 9e9;  // 285 years fit into a Duration.

template <class T>
void read(const Json& json, T& value) {
  if constexpr (std::is_same_v<T, Duration>) {
    const double seconds = json.is_number() ? json.get<double>() : 0;
    if (seconds > -seconds_max && seconds < seconds_max) {
      value = Duration(static_cast<int64_t>(seconds * 1e9));
    }
  } else if constexpr (IsOptional<T>::value) {
    read(json, value.emplace());
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) return;
    for (const Json& item : json) read(item, value.emplace_back());
  } else if constexpr (std::is_same_v<T, bool>) {
    if (json.is_boolean()) value = json.get<bool>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (json.is_string()) value = json.get<std::string>();
  } else if constexpr (std::is_arithmetic_v<T>) {
    read_number(json, value);
  } else {
    if (!json.is_object()) return;
    Reader reader{json};
    fields(reader, value);
  }
}

template <class T>
T read_as(const Json& json) {
  T value;
  read(json, value);
  return value;
}

}  // namespace

Json to_json(const InstanceStatus& status) { return write(status); }
Json to_json(const gateway::Explanation& explanation) { return write(explanation); }
Json to_json(const DrainReport& report) { return write(report); }
Json to_json(const std::vector<ClientEntry>& clients) { return write(clients); }
Json to_json(const SwitchesStatus& switches) { return write(switches); }
Json to_json(const std::vector<ComponentCheck>& checks) { return write(checks); }
Json to_json(const plan::Problem& problem) { return write(problem); }

Json to_json(const ReloadReport& report) {
  Json changes = Json::array();
  for (const plan::Change& change : report.changes) {
    changes.push_back({{"field", change.field},
                       {"kind", std::string(plan::to_string(change.kind))},
                       {"restart", change.restart}});
  }
  return {{"applied", report.was_applied},
          {"changes", std::move(changes)},
          {"errors", write(report.errors)},
          {"warnings", write(report.warnings)}};
}

std::string time_text(WallTime time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::milliseconds>(time - days));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Json to_json(const LogLine& line) {
  return {{"time", time_text(line.time)},
          {"source", line.source},
          {"stream", line.is_error ? "stderr" : "stdout"},
          {"line", line.text}};
}

InstanceStatus status_from_json(const Json& json) { return read_as<InstanceStatus>(json); }
gateway::Explanation explanation_from_json(const Json& json) {
  return read_as<gateway::Explanation>(json);
}
plan::Problem problem_from_json(const Json& json) { return read_as<plan::Problem>(json); }
ClientEntry client_from_json(const Json& json) { return read_as<ClientEntry>(json); }
SwitchesStatus switches_from_json(const Json& json) { return read_as<SwitchesStatus>(json); }

std::string text_of(const Json& json, bool is_for_people) {
  return json.dump(is_for_people ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(Error::Code::invalid, "this is not JSON");
  return json;
}

Json error_json(std::string_view code, std::string_view message) {
  return {{"error", {{"code", std::string(code)}, {"message", std::string(message)}}}};
}

}  // namespace spillway::admin
