// http/cache_update.cc: fields replaced, states compared, references resolved.
#include "http/cache_update.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/list.h"
#include "http/url.h"

namespace spillway::http {
namespace {

// Describe the body as it is stored, or one connection only (section 3.2).
constexpr auto kept_as_stored = std::to_array<std::string_view>(
    {"content-encoding", "content-type", "content-range", "content-length", "transfer-encoding",
     "connection", "keep-alive", "te", "trailer", "upgrade", "proxy-connection",
     "proxy-authenticate", "proxy-authorization", "proxy-authentication-info"});

bool may_update(const HeaderField& field, const HeaderList& update) {
  const auto is_name = [&](std::string_view name) {
    return equals_ignoring_case(field.name, name);
  };
  return std::ranges::none_of(kept_as_stored, is_name) &&
         !field_has_token(update, Field::connection, field.name);
}

std::string_view without_weakness(std::string_view etag) {
  return etag.substr(etag.starts_with("W/") ? 2 : 0);
}

// Fields that one side lacks contradict nothing.
bool agree(const HeaderList& stored, const HeaderList& other, Field id) {
  const HeaderField* ours = stored.find(id);
  const HeaderField* theirs = other.find(id);
  return ours == nullptr || theirs == nullptr || ours->value == theirs->value;
}

bool same_etag(const HeaderList& stored, const HeaderList& other) {
  return without_weakness(stored.value(Field::etag)) == without_weakness(other.value(Field::etag));
}

uint16_t default_port(std::string_view scheme) {
  return equals_ignoring_case(scheme, "https") ? 443 : 80;
}

// "host:port" taken apart; no port is the scheme's.
struct HostAndPort {
  std::string_view host;
  uint16_t port;
};
HostAndPort split_authority(std::string_view authority, std::string_view scheme) {
  const size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && !authority.ends_with(']');
  if (!has_port) return {authority, default_port(scheme)};
  const auto port = parse_decimal<uint16_t>(authority.substr(colon + 1));
  return {authority.substr(0, colon), port.value_or(default_port(scheme))};
}

bool is_same_origin(const Url& url, const ResourceName& request) {
  const HostAndPort ours = split_authority(request.authority, request.scheme);
  return equals_ignoring_case(url.scheme, request.scheme) && url.port == ours.port &&
         equals_ignoring_case(url.host, ours.host);
}

// Of an absolute path with or without a query.
ResourceName at(std::string_view target, const ResourceName& request) {
  const size_t mark = target.find('?');
  ResourceName result = request;
  result.path = target.substr(0, mark);
  result.has_query = mark != std::string_view::npos;
  result.query = result.has_query ? target.substr(mark + 1) : std::string_view{};
  return result;
}

}  // namespace

bool is_validated_by(const HeaderList& stored, const HeaderList& not_modified) {
  if (not_modified.has(Field::etag)) {
    return stored.has(Field::etag) && same_etag(stored, not_modified);
  }
  return agree(stored, not_modified, Field::last_modified);
}

bool is_confirmed_by_head(const HeaderList& stored, uint64_t stored_bytes, const HeaderList& head) {
  const auto bytes = parse_decimal<uint64_t>(head.value(Field::content_length));
  if (bytes && *bytes != stored_bytes) return false;
  const bool has_etags = stored.has(Field::etag) && head.has(Field::etag);
  if (has_etags && !same_etag(stored, head)) return false;
  return agree(stored, head, Field::last_modified);
}

bool merge_update(const HeaderList& stored, const HeaderList& update, HeaderList& merged) {
  merged.clear();
  for (const HeaderField& field : stored) {
    const bool is_replaced = std::ranges::any_of(update, [&](const HeaderField& newer) {
      return equals_ignoring_case(newer.name, field.name) && may_update(newer, update);
    });
    if (!is_replaced && !merged.add(field.id, field.name, field.value)) return false;
  }
  for (const HeaderField& field : update) {
    if (!may_update(field, update)) continue;
    if (!merged.add(field.id, field.name, field.value)) return false;
  }
  return true;
}

std::optional<ResourceName> same_origin_target(std::string_view value, const ResourceName& request,
                                               std::string& buffer) {
  value = value.substr(0, value.find('#'));
  if (value.starts_with("//")) {  // A network-path reference: only the scheme is the request's.
    buffer.assign(request.scheme).append(":").append(value);
    value = buffer;
  }
  if (const auto url = parse_url(value)) {
    if (!is_same_origin(*url, request)) return std::nullopt;
    ResourceName result = request;
    result.path = url->path;
    result.query = url->query;
    result.has_query = url->has_query;
    return result;
  }
  const size_t colon = value.find(':');
  if (colon != std::string_view::npos && colon < value.find_first_of("/?")) return std::nullopt;
  if (value.empty()) return request;
  if (value.starts_with('/')) return at(value, request);
  // Relative to the request's path: its query goes, and for a path its last segment too.
  const std::string_view base =
      value.starts_with('?') ? request.path : request.path.substr(0, request.path.rfind('/') + 1);
  std::string joined(base);
  joined.append(value);
  buffer = std::move(joined);
  return at(buffer, request);
}

}  // namespace spillway::http
