// http/cache_update.h: what later answers do to stored ones (RFC 9111 sections 3.2, 4.3 and 4.4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/field.h"
#include "http/message.h"

namespace spillway::http {

// Whether a 304 speaks of the stored answer (section 4.3.4): its entity tag is the stored one's, or
// it has none and its Last-Modified, if there is one, is the stored one's. If not, the origin has
// to be asked for the whole.
bool is_validated_by(const HeaderList& stored, const HeaderList& not_modified);

// Whether the head of an answer to HEAD with status 200 speaks of the stored answer to GET (section
// 4.3.5): the validators and Content-Length that it has are the stored ones'. If not, the stored
// answer is no longer the right one.
bool is_confirmed_by_head(const HeaderList& stored, uint64_t stored_bytes, const HeaderList& head);

// The stored fields with those of `update` (a 304, or an answer to HEAD) in place of their
// namesakes (section 3.2), except what describes the body that is kept and what was meant for one
// connection. Views of both. False: there is no room for all.
[[nodiscard]] bool merge_update(const HeaderList& stored, const HeaderList& update,
                                HeaderList& merged);

// Whether an answer to this method makes stored ones invalid (section 4.4).
constexpr bool invalidates(Method method, uint16_t status) {
  return !is_safe(method) && status >= 200 && status < 400;
}

// Where a request went: what its key is made of.
struct ResourceName {
  std::string_view scheme;
  std::string_view authority;  // With port, if one was named.
  std::string_view path;       // Not normalised.
  std::string_view query;
  bool has_query = false;
};
// The resource that a Location or Content-Location names, if it is of the same origin as `request`
// (section 4.4): nobody invalidates what is another's. Relative references are resolved against the
// request (RFC 3986 section 5.2), their dot segments left for normalise_path. The result's views
// point into `value`, `request` and `buffer`.
std::optional<ResourceName> same_origin_target(std::string_view value, const ResourceName& request,
                                               std::string& buffer);

}  // namespace spillway::http
