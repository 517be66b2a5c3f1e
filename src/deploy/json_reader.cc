// deploy/json_reader.cc: getters with type checks.
#include "deploy/json_reader.h"

namespace spillway::deploy {

using nlohmann::json;

const json* JsonReader::find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() ? nullptr : &*found;
}

void JsonReader::complain(std::string_view name, std::string_view expected) {
  if (complaint_) return;
  complaint_ = "\"" + std::string(name) + "\" is missing or not " + std::string(expected);
}

std::string JsonReader::text(const char* name) {
  const json* value = find(name);
  if (value != nullptr && value->is_string()) return value->get_ref<const std::string&>();
  complain(name, "a text");
  return {};
}

int64_t JsonReader::integer(const char* name) {
  const json* value = find(name);
  if (value != nullptr && value->is_number_integer()) return value->get<int64_t>();
  complain(name, "an integer");
  return 0;
}

bool JsonReader::flag(const char* name) {
  const json* value = find(name);
  if (value != nullptr && value->is_boolean()) return value->get<bool>();
  complain(name, "true or false");
  return false;
}

SocketAddress JsonReader::address(const char* name) {
  auto parsed = SocketAddress::parse(text(name));
  if (parsed) return *parsed;
  complain(name, "an address");
  return {};
}

std::vector<std::string> JsonReader::texts(const char* name) {
  std::vector<std::string> result;
  const json* value = find(name);
  if (value == nullptr || !value->is_array()) complain(name, "a list of texts");
  if (complaint_) return result;
  for (const json& item : *value) {
    if (!item.is_string()) complain(name, "a list of texts");
    if (complaint_) return {};
    result.push_back(item.get_ref<const std::string&>());
  }
  return result;
}

std::map<std::string, std::string> JsonReader::text_map(const char* name) {
  std::map<std::string, std::string> result;
  const json* value = find(name);
  if (value == nullptr || !value->is_object()) complain(name, "an object of texts");
  if (complaint_) return result;
  for (const auto& [key, item] : value->items()) {
    if (!item.is_string()) complain(name, "an object of texts");
    if (complaint_) return {};
    result[key] = item.get_ref<const std::string&>();
  }
  return result;
}

const json& JsonReader::member(const char* name) {
  const json* value = find(name);
  if (value != nullptr && value->is_object()) return *value;
  complain(name, "an object");
  return empty_;
}

std::string to_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json parse_json(std::string_view text) {
  return json::parse(text.begin(), text.end(), nullptr, false);
}

int64_t count_milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

int64_t unix_milliseconds(WallTime time) { return count_milliseconds(time.time_since_epoch()); }

}  // namespace spillway::deploy
