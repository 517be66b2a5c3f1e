// gateway/cache_key.cc: parts with their lengths, one after the other.
#include "gateway/cache_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/ascii.h"
#include "gateway/balance_key.h"
#include "http/authority.h"
#include "http/path.h"

namespace spillway::gateway {
namespace {

void put(std::string& key, char kind, std::string_view text) {
  fmt::format_to(std::back_inserter(key), "{}{}:{}", kind, text.size(), text);
}

// "shop.example" and "SHOP.example:443" are one, over https.
void put_authority(std::string& key, const http::ResourceName& resource) {
  const uint16_t usual = equals_ignoring_case(resource.scheme, "https") ? 443 : 80;
  const auto authority = http::parse_authority(resource.authority);
  put(key, 'h', lowered(authority ? authority->host : resource.authority));
  const uint16_t port = authority && authority->port != 0 ? authority->port : usual;
  put(key, 'p', std::to_string(port));
}

// The parameters that count, in the plan's order; of one that is there several times all, in the
// order they came.
void put_parameters(std::string& key, std::string_view query,
                    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    http::QueryReader reader(query);
    while (const auto parameter = reader.next()) {
      if (!http::decodes_to(parameter->name, name)) continue;
      put(key, 'n', name);
      put(key, 'v', parameter->value);
    }
  }
}

void put_header(std::string& key, const http::HeaderList& fields, const std::string& name) {
  for (const http::HeaderField& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    put(key, 'n', name);
    put(key, 'v', field.value);
  }
}

void put_origin(std::string& key, const http::ResourceName& resource) {
  put(key, 's', lowered(resource.scheme));
  put_authority(key, resource);
  put(key, 't', resource.path);
}

}  // namespace

std::string resource_key(const http::ResourceName& resource) {
  std::string key;
  put_origin(key, resource);
  if (resource.has_query) put(key, 'q', resource.query);
  return key;
}

http::ResourceName resource_of(const RequestContext& context) {
  const http::RequestHead& request = context.exchange.request();
  return {.scheme = context.scheme,
          .authority = context.host,
          .path = context.path,
          .query = request.query,
          .has_query = request.has_query};
}

std::string cache_key(const RequestContext& context, const CacheKeyConfig& config) {
  const http::RequestHead& request = context.exchange.request();
  std::string key;
  if (config.query) {
    put_origin(key, resource_of(context));
    put_parameters(key, request.query, *config.query);
  } else {
    key = resource_key(resource_of(context));
  }
  for (const std::string& name : config.headers) {
    put(key, 'H', {});
    put_header(key, request.fields, name);
  }
  for (const std::string& name : config.cookies) {
    const auto value = cookie_value(request.fields, name);
    put(key, value ? 'C' : 'c', value.value_or(""));
  }
  if (config.user) put(key, 'u', context.user);
  return key;
}

bool is_bypassed(const RequestContext& context, const RouteCacheConfig& config) {
  const http::HeaderList& fields = context.exchange.request().fields;
  const bool has_header = std::ranges::any_of(
      config.bypass.headers, [&](const std::string& name) { return fields.find(name) != nullptr; });
  const bool has_cookie = std::ranges::any_of(config.bypass.cookies, [&](const std::string& name) {
    return cookie_value(fields, name).has_value();
  });
  return has_header || has_cookie || (config.key.user && context.user.empty());
}

}  // namespace spillway::gateway
