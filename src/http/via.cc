// http/via.cc: reads "protocol received-by comment" elements.
#include "http/via.h"

#include "base/ascii.h"
#include "base/check.h"
#include "http/list.h"
#include "http/scan.h"

namespace spillway::http {
namespace {

std::string_view received_by(std::string_view element) {
  const size_t protocol_end = element.find_first_of(" \t");
  if (protocol_end == std::string_view::npos) return {};
  element = trimmed(element.substr(protocol_end));
  return element.substr(0, element.find_first_of(" \t"));
}

}  // namespace

Via::Via(std::string_view pseudonym) {
  CHECK(is_token(pseudonym));
  value_1_0_.append("1.0 ").append(pseudonym);
  value_1_1_.append("1.1 ").append(pseudonym);
  value_2_.append("2 ").append(pseudonym);
}

size_t Via::times_passed(const HeaderList& fields) const {
  const std::string_view pseudonym = std::string_view(value_1_1_).substr(4);
  size_t times = 0;
  for (const HeaderField& field : fields) {
    if (field.id != Field::via) continue;
    ListReader list(field.value);
    std::string_view element;
    while (list.next(element)) {
      if (equals_ignoring_case(received_by(element), pseudonym)) ++times;
    }
  }
  return times;
}

}  // namespace spillway::http
