// http/conditions.h: requests that depend on what the client has already (RFC 9110 section 13).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/field.h"
#include "http/message.h"

namespace spillway::http {

// What tells one state of a resource from another.
struct Validators {
  std::string_view etag;  // As sent, with its quotes, "W/" if weak; empty: none.
  std::optional<std::chrono::sys_seconds> last_modified;
};

enum class Precondition : uint8_t {
  holds,
  not_modified,  // 304: the client has it.
  failed,        // 412: it is not what the client thinks.
};

// The conditions of a request, in the order of section 13.2.2. What is malformed counts as not
// there, except in If-Match, which fails then.
Precondition evaluate(const RequestHead& request, const Validators& now);

// Whether a Range may be answered with a part: there is no If-Range, or the client's state is this
// one. Compared strongly (section 13.1.5).
bool range_applies(const HeaderList& request, const Validators& now);

}  // namespace spillway::http
