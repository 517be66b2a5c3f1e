// gateway/response_cache.h: answers requests with what is kept, and fetches once what is not.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "cache/fill.h"
#include "cache/memory_tier.h"
#include "gateway/cache_fetch.h"
#include "gateway/cached_head.h"
#include "gateway/proxy.h"
#include "gateway/request_context.h"
#include "http/cache_policy.h"
#include "http/range.h"
#include "runtime/task.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

struct GatewayParts;
struct Routing;

// How a request was answered, for metrics.
enum class CacheResult : uint8_t {
  hit,
  stale,        // As the client, or stale_while_revalidate, allows.
  revalidated,  // The service said that it has not changed.
  covered,      // The service failed, and what was kept did (stale_if_error).
  miss,
  collapsed,  // By another's fetch.
  bypass,
};
constexpr std::array<std::string_view, 7> enum_names(CacheResult) {
  return {"hit", "stale", "revalidated", "covered", "miss", "collapsed", "bypass"};
}

// The cached routes of one plan on one core: RFC 9111 between the filters and the proxy. What is
// kept is the process's (SharedCache).
class ResponseCache {
 public:
  // All outlive it. `fetches` is where the requests run that it makes for itself.
  ResponseCache(const GatewayParts& parts, const Routing& routing, telemetry::Scope& scope,
                Proxy& proxy, CacheFetches& fetches);

  // Answers a request whose route has a cache. `plan` keeps alive what the context points to.
  runtime::Task<void> serve(RequestContext& context, std::shared_ptr<const void> plan);

 private:
  // What is kept for a request.
  struct Found {
    cache::MemoryTier::Object object;  // Null: nothing.
    const CachedHead* head = nullptr;
    bool has_variants = false;  // Answers of that resource vary, perhaps for others.
    std::string key;            // Of the variant, if there are any.
  };
  // One request on its way through.
  struct Asked;
  struct Outgoing;
  class Body;

  static http::CacheTerms terms_of(const RouteCacheConfig& config);
  static bool has_to_pass(const RequestContext& context);
  Found find(const Asked& asked);
  cache::MemoryTier::Object look_up(const std::string& key);
  runtime::Task<void> pass(RequestContext& context, http::CacheForward why);
  runtime::Task<void> fetch_for(Asked& asked, Found found);
  void start_fetch(const Asked& asked, cache::FillTable::Lead lead, Found found);
  void refresh(const Asked& asked, const Found& found);
  runtime::Task<void> fetch(std::unique_ptr<FetchRequest> request, cache::FillTable::Lead lead,
                            StoredBefore before, CacheFetch::Options options,
                            std::shared_ptr<const void> plan);
  void keep(const CacheFetch::Outcome& outcome, const StoredBefore& before);
  static http::CacheForward why_fetched(const Asked& asked, const Found& found);
  runtime::Task<bool> read_along(Asked& asked, Found& found);
  bool prepare(const Asked& asked, const CachedHead& head, bool is_first, Outgoing& to);
  static void cut(const http::RequestHead& request, const CachedHead& head, const Body& body,
                  Outgoing& to);
  runtime::Task<void> send(Asked& asked, const CachedHead& head, Body body, bool is_first);
  static runtime::Task<void> send_body(RequestContext& context, Body& body,
                                       const std::optional<http::ByteRange>& part);
  void count(const RequestContext& context, CacheResult result);

  runtime::Loop& loop_;
  Proxy& proxy_;
  SharedCache* const shared_;  // Null: no route has a cache.
  CacheFetches& fetches_;
  const Pages* const pages_;
  const uint64_t object_bytes_max_;
  std::optional<cache::MemoryReader> memory_;
  std::vector<std::vector<telemetry::Counter>> results_;  // By route and result.
};

}  // namespace spillway::gateway
