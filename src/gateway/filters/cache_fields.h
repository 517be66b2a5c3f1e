// gateway/filters/cache_fields.h: says what the cache did, and forgets what a request has changed.
#pragma once

#include "gateway/cache_fetch.h"
#include "gateway/request_context.h"
#include "http/cache_update.h"

namespace spillway::gateway {

// Cache-Status (RFC 9211) on answers of routes with a cache. After an unsafe request that
// succeeded, on whatever route, what is kept of its resource, and of those that Location and
// Content-Location name, is invalid (RFC 9111 section 4.4): before the client is told that it
// succeeded.
class CacheFields final : public AnswerFilter {
 public:
  explicit CacheFields(SharedCache& cache) : cache_(cache) {}
  bool on_answer(RequestContext& context, AnswerHead& head) const override;

 private:
  void invalidate(const RequestContext& context, const http::HeaderList& answer) const;
  void purge(http::ResourceName resource) const;

  SharedCache& cache_;  // Outlives us.
};

}  // namespace spillway::gateway
