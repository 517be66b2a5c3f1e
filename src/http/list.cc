// http/list.cc: elements between commas.
#include "http/list.h"

#include "base/ascii.h"

namespace spillway::http {

bool ListReader::next(std::string_view& element) {
  while (!rest_.empty()) {
    const size_t comma = rest_.find(',');
    element = trimmed(rest_.substr(0, comma));
    rest_.remove_prefix(comma == std::string_view::npos ? rest_.size() : comma + 1);
    if (!element.empty()) return true;
  }
  return false;
}

bool list_has_token(std::string_view value, std::string_view token) {
  ListReader list(value);
  std::string_view element;
  while (list.next(element)) {
    if (equals_ignoring_case(element, token)) return true;
  }
  return false;
}

bool field_has_token(const HeaderList& fields, Field id, std::string_view token) {
  for (const HeaderField& field : fields) {
    if (field.id == id && list_has_token(field.value, token)) return true;
  }
  return false;
}

}  // namespace spillway::http
