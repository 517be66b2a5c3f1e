// deploy/supervisor_state.cc: the state of an upgrade as JSON.
#include "deploy/supervisor_state.h"

#include "deploy/json_reader.h"
#include "deploy/replica_record.h"

namespace spillway::deploy {
namespace {

using nlohmann::json;

json to_json(const SupervisorState::Listener& listener) {
  return {{"at", to_string(listener.at)},
          {"bound", to_string(listener.bound)},
          {"is_activated", listener.is_activated},
          {"sockets", listener.sockets}};
}

json to_json(const SupervisorState::Replica& replica) {
  return {{"record", to_json(replica.record)}, {"guard", replica.guard},
          {"socket", replica.socket},          {"output", replica.output},
          {"errors", replica.errors},          {"has_ended", replica.has_ended}};
}

json to_json(const SupervisorState::Server& server) {
  return {{"number", server.number},
          {"pid", server.pid},
          {"socket", server.socket},
          {"is_serving", server.is_serving}};
}

template <class T>
json list_of(const std::vector<T>& items) {
  json result = json::array();
  for (const T& item : items) result.push_back(to_json(item));
  return result;
}

// The numbers of a list; those that are none are left out and make its length wrong.
template <class Integer>
std::vector<Integer> numbers(const json& object, const char* name) {
  std::vector<Integer> result;
  const auto found = object.find(name);
  if (found == object.end()) return result;
  for (const json& item : *found) {
    if (item.is_number_integer()) result.push_back(item.get<Integer>());
  }
  return result;
}

Result<SupervisorState::Listener> read_listener(const json& value) {
  JsonReader reader(value);
  SupervisorState::Listener result{.at = reader.address("at"),
                                   .bound = reader.address("bound"),
                                   .is_activated = reader.flag("is_activated"),
                                   .sockets = {}};
  TRY_VOID(reader.complaint());
  result.sockets = numbers<int>(value, "sockets");
  return result;
}

Result<SupervisorState::Replica> read_replica(const json& value) {
  JsonReader reader(value);
  TRY(record, replica_record(reader.member("record")));
  SupervisorState::Replica result{.record = std::move(record),
                                  .guard = reader.number<pid_t>("guard"),
                                  .socket = reader.number<int>("socket"),
                                  .output = reader.number<int>("output"),
                                  .errors = reader.number<int>("errors"),
                                  .has_ended = reader.flag("has_ended")};
  TRY_VOID(reader.complaint());
  return result;
}

Result<SupervisorState::Server> read_server(const json& value) {
  JsonReader reader(value);
  SupervisorState::Server result{.number = reader.number<uint64_t>("number"),
                                 .pid = reader.number<pid_t>("pid"),
                                 .socket = reader.number<int>("socket"),
                                 .is_serving = reader.flag("is_serving")};
  TRY_VOID(reader.complaint());
  return result;
}

template <class T>
Result<std::vector<T>> read_list(const json& object, const char* name,
                                 Result<T> (*read)(const json&)) {
  std::vector<T> result;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) {
    return fail(Error::Code::protocol, std::string("\"") + name + "\" is missing");
  }
  for (const json& item : *found) {
    TRY(value, read(item));
    result.push_back(std::move(value));
  }
  return result;
}

}  // namespace

std::vector<int> SupervisorState::descriptors() const {
  std::vector<int> result;
  for (const auto& listener : listeners) {
    result.insert(result.end(), listener.sockets.begin(), listener.sockets.end());
  }
  for (const auto& replica : replicas) {
    result.insert(result.end(), {replica.output, replica.errors});
    if (replica.socket >= 0) result.push_back(replica.socket);
  }
  for (const auto& server : servers) result.push_back(server.socket);
  return result;
}

std::string encode(const SupervisorState& state) {
  return to_text({{"next_replica", state.next_replica},
                  {"next_server", state.next_server},
                  {"listeners", list_of(state.listeners)},
                  {"replicas", list_of(state.replicas)},
                  {"servers", list_of(state.servers)},
                  {"other_children", state.other_children},
                  {"kept", state.kept}});
}

Result<SupervisorState> decode_supervisor_state(std::string_view text) {
  const json value = parse_json(text);
  JsonReader reader(value);
  SupervisorState state{.next_replica = reader.number<uint64_t>("next_replica"),
                        .next_server = reader.number<uint64_t>("next_server")};
  TRY_VOID(reader.complaint());
  TRY(listeners, read_list<SupervisorState::Listener>(value, "listeners", read_listener));
  TRY(replicas, read_list<SupervisorState::Replica>(value, "replicas", read_replica));
  TRY(servers, read_list<SupervisorState::Server>(value, "servers", read_server));
  state.listeners = std::move(listeners);
  state.replicas = std::move(replicas);
  state.servers = std::move(servers);
  state.other_children = numbers<pid_t>(value, "other_children");
  for (const auto& [name, kept] : reader.member("kept").items()) {
    if (kept.is_string()) state.kept[name] = kept.get<std::string>();
  }
  return state;
}

}  // namespace spillway::deploy
