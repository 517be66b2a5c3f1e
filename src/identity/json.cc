// identity/json.cc: an object's members and an array's items.
#include "identity/json.h"

#include <algorithm>

#include "base/check.h"
#include "identity/json_scanner.h"

namespace spillway::identity {
namespace {

uint64_t mark_of(std::string_view name) {
  const size_t first = name.empty() ? 0 : static_cast<uint8_t>(name.front());
  return uint64_t{1} << ((first ^ (name.size() << 3)) & 63);
}

}  // namespace

bool JsonObject::add(std::string_view name, JsonValue value) {
  if (count_ == members_.size()) return false;
  const uint64_t mark = mark_of(name);
  if ((seen_ & mark) != 0 && find(name) != nullptr) return false;
  seen_ |= mark;
  members_[count_++] = {name, value};
  return true;
}

bool JsonObject::read(std::string_view text, JsonSpace space) {
  CHECK(space.size() >= text.size());
  count_ = 0;
  seen_ = 0;
  if (!is_utf8(text)) return false;
  JsonScanner scanner(text);
  const auto members = [&] {
    if (!scanner.take('{')) return false;
    if (scanner.take('}')) return true;
    do {
      const auto name = scanner.string(space);
      if (!name || !scanner.take(':')) return false;
      const auto value = scanner.value(space, limits::json_depth_max - 1);
      if (!value || !add(*name, *value)) return false;
    } while (scanner.take(','));
    return scanner.take('}');
  };
  if (members() && scanner.at_end()) return true;
  count_ = 0;
  return false;
}

const JsonValue* JsonObject::find(std::string_view name) const {
  const auto all = members();
  const auto found = std::ranges::find(all, name, &Member::name);
  return found == all.end() ? nullptr : &found->value;
}

std::string_view JsonObject::string(std::string_view name) const {
  const JsonValue* value = find(name);
  return value != nullptr && value->is_string() ? value->text : std::string_view();
}

bool JsonArray::read(std::string_view text, JsonSpace space) {
  CHECK(space.size() >= text.size());
  count_ = 0;
  if (!is_utf8(text)) return false;
  JsonScanner scanner(text);
  const auto items = [&] {
    if (!scanner.take('[')) return false;
    if (scanner.take(']')) return true;
    do {
      const auto value = scanner.value(space, limits::json_depth_max - 1);
      if (!value || count_ == items_.size()) return false;
      items_[count_++] = *value;
    } while (scanner.take(','));
    return scanner.take(']');
  };
  if (items() && scanner.at_end()) return true;
  count_ = 0;
  return false;
}

}  // namespace spillway::identity
