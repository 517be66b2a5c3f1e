// deploy/json_reader.h: reads the fields of a JSON object that should be there, without exceptions.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/time.h"

namespace spillway::deploy {

// Each getter gives the field's value, or a default one and remembers the first complaint: read
// everything, then ask once. The object outlives it.
class JsonReader {
 public:
  explicit JsonReader(const nlohmann::json& object) : object_(object) {
    if (!object.is_object()) complain("", "an object");
  }

  std::string text(const char* name);
  template <class Integer>
  Integer number(const char* name) {
    const int64_t value = integer(name);
    if (value < 0 || !std::in_range<Integer>(value)) {
      complain(name, "a number in range");
      return 0;
    }
    return static_cast<Integer>(value);
  }
  Duration milliseconds(const char* name) {
    return std::chrono::milliseconds(number<uint32_t>(name));
  }
  WallTime unix_milliseconds(const char* name) {
    return WallTime(std::chrono::milliseconds(number<int64_t>(name)));
  }
  SocketAddress address(const char* name);
  std::vector<std::string> texts(const char* name);
  std::map<std::string, std::string> text_map(const char* name);
  bool flag(const char* name);
  // The object's member of this name, or an empty object.
  const nlohmann::json& member(const char* name);
  bool has(const char* name) const { return object_.is_object() && object_.contains(name); }

  // Error: protocol.
  Result<void> complaint() const {
    if (!complaint_) return {};
    return fail(Error::Code::protocol, *complaint_);
  }

 private:
  const nlohmann::json* find(const char* name) const;
  int64_t integer(const char* name);
  void complain(std::string_view name, std::string_view expected);

  const nlohmann::json& object_;
  const nlohmann::json empty_ = nlohmann::json::object();
  std::optional<std::string> complaint_;
};

// Bytes that are no UTF-8 are replaced, so that it never throws.
std::string to_text(const nlohmann::json& value);
// Discarded (is_discarded()) if it is no JSON.
nlohmann::json parse_json(std::string_view text);

int64_t count_milliseconds(Duration duration);
int64_t unix_milliseconds(WallTime time);

}  // namespace spillway::deploy
