// gateway/request_context.h: what is known of one request on its way through the gateway.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/check.h"
#include "base/time.h"
#include "gateway/answer.h"
#include "gateway/config.h"
#include "gateway/filter.h"
#include "http/cache_status.h"
#include "http/exchange.h"
#include "http/trace_context.h"
#include "identity/token_fault.h"
#include "upstream/pick.h"
#include "upstream/rate_limit.h"

namespace spillway::gateway {

class RateLimit;
class RouteMetrics;
class Service;

// What one limit said of a request.
struct RateStanding {
  const RateLimit* limit;
  upstream::RateAnswer answer;
};

// Bytes for values that we write ourselves, such as X-Forwarded-For: as long as the request lives.
// Bounded; a request that needs more is answered 431.
class Scratch {
 public:
  std::span<char> space() { return std::span(free_, left_); }
  // The same, with room for `wanted` bytes if a request may have as many: those beyond the usual
  // are on the heap. What was used stays where it is, and later steps find their usual room.
  std::span<char> space_for(size_t wanted) {
    const size_t size = wanted + usual_bytes;
    if (wanted > left_ && size <= heap_bytes_max - heap_bytes_) {
      free_ = heap_.emplace_back(std::make_unique_for_overwrite<char[]>(size)).get();
      left_ = size;
      heap_bytes_ += size;
    }
    return space();
  }
  void use(size_t count) {
    free_ += count;
    left_ -= count;
  }

 private:
  static constexpr size_t usual_bytes = 4096;
  static constexpr size_t heap_bytes_max = 256 << 10;  // A handful of the longest URLs.
  std::array<char, usual_bytes> bytes_;  // Not cleared: only what was written is read.
  std::vector<std::unique_ptr<char[]>> heap_;
  size_t heap_bytes_ = 0;
  char* free_ = bytes_.data();
  size_t left_ = usual_bytes;
};

// Filled step by step by Gateway::serve; lies in its frame. One core.
struct RequestContext {
  RequestContext(http::Exchange& its_exchange, Scratch& its_scratch)
      : exchange(its_exchange),
        scratch(its_scratch),
        answer(exchange),
        client(exchange.client().peer.ip),
        host(exchange.request().authority) {}

  http::Exchange& exchange;
  Scratch& scratch;
  Answer answer;     // Every answer goes through here.
  LocalReply reply;  // If a step has ended the request.

  // The request ends with this answer.
  Verdict end_with(LocalReply ours) {
    reply = std::move(ours);
    return Verdict::reply;
  }

  std::string_view path;           // Normalised: matched, authorised, cached and forwarded.
  std::string_view upstream_path;  // What the service is asked for: `path`, or as rewritten.
  std::string_view upstream_host;  // Empty: the client's own.
  IpAddress client;                // Behind trusted proxies; the peer until that is known.
  bool is_exempt = false;          // The plan allows this client whatever the limits say.
  std::string_view scheme;
  std::string_view host;  // With port, as the client meant it.
  std::string_view request_id;
  http::TraceContext trace;  // Begins with the request id.

  // Which endpoint the last attempt went to; remembered beyond its ticket.
  void note_endpoint(const upstream::Ticket& ticket) {
    const size_t size = std::min(ticket.name->size(), endpoint_text.size());
    std::copy_n(ticket.name->data(), size, endpoint_text.data());
    endpoint = {endpoint_text.data(), size};
  }

  // Copies what is logged at the end, when the head's buffer is given up before (a tunnel).
  void keep_text() {
    http::RequestHead& request = exchange.request();
    std::string_view agent = request.fields.value(http::Field::user_agent);
    const std::array views = {&request.method_text, &request.path, &request.query, &host, &path,
                              &request_id,          &agent};
    size_t size = 0;
    for (const std::string_view* view : views) size += view->size();
    kept.reserve(size);  // Never moves from here on.
    for (std::string_view* view : views) {
      const size_t begin = kept.size();
      kept += *view;
      *view = std::string_view(kept).substr(begin);
    }
    request.fields.clear();
    CHECK(request.fields.add(http::Field::user_agent, agent));
  }
  std::string kept;

  std::string_view user;  // Who signed in, if that is known: in `scratch` or of the plan.
  std::optional<identity::TokenFault> token_fault;  // Of a token that was shown.
  std::span<const std::string> proven;  // Names of headers that only we may write; of the plan.
  const HeaderRules* request_rules = nullptr;  // Of all routes, once they were applied.

  const RouteConfig* route = nullptr;
  std::string_view route_label;  // As metrics name it.
  size_t route_number = 0;       // If there is a route: its place in the plan's list.
  Service* service = nullptr;
  std::optional<http::CacheStatus> cache_status;  // Of a route with a cache.
  bool is_fetch = false;  // Of the cache itself: the answer is for all who ask.
  // Those of the route, one for each side of its split, and the one that this request counts for.
  std::span<const std::unique_ptr<RouteMetrics>> sides;
  RouteMetrics* metrics = nullptr;

  // Where the request stands with the limits that looked at it.
  void note_rate(const RateStanding& standing) { rates_[rate_count_++] = standing; }
  std::span<const RateStanding> rates() const { return std::span(rates_).first(rate_count_); }

  // For the access log and the metrics.
  std::string_view endpoint;
  std::array<char, 64> endpoint_text;
  uint32_t retries = 0;
  uint32_t hedges = 0;
  std::optional<Duration> upstream_duration;
  Error error;  // Why the request failed, if it did.
  bool has_failed = false;

 private:
  uint32_t rate_count_ = 0;
  std::array<RateStanding, limits_per_route_max> rates_;  // Not cleared.
};

}  // namespace spillway::gateway
