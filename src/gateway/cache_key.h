// gateway/cache_key.h: under which name the answer to a request is kept.
#pragma once

#include <string>

#include "gateway/cache_config.h"
#include "gateway/request_context.h"
#include "http/cache_update.h"

namespace spillway::gateway {

// Scheme, host, port, path and query of a resource: what purging and invalidation go by, and how
// each key begins. Parts are told apart by their lengths, so that no request can write another's.
std::string resource_key(const http::ResourceName& resource);
// Of a request; its path is the normalised one.
http::ResourceName resource_of(const RequestContext& context);

// With what the plan adds to it.
std::string cache_key(const RequestContext& context, const CacheKeyConfig& config);

// Whether the plan keeps the request from the cache.
bool is_bypassed(const RequestContext& context, const RouteCacheConfig& config);

}  // namespace spillway::gateway
