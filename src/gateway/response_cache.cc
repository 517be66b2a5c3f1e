// gateway/response_cache.cc: looked up, judged, sent; or fetched, read along, and kept.
#include "gateway/response_cache.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "gateway/cache_key.h"
#include "gateway/client_watch.h"
#include "gateway/gateway.h"
#include "http/conditions.h"
#include "http/http_date.h"
#include "http/range.h"
#include "http/vary.h"

namespace spillway::gateway {

using http::BodyFraming;
using http::ByteRange;
using http::CacheForward;
using http::CacheUse;
using http::Field;
using http::HeaderField;
using http::HeaderList;
using runtime::Task;

namespace {

std::optional<int64_t> seconds_of(const std::optional<Duration>& duration) {
  if (!duration) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(*duration).count();
}

http::Validators validators_of(const CachedHead& head) {
  return {.etag = head.value(Field::etag),
          .last_modified = http::parse_http_date(head.value(Field::last_modified))};
}

// Whether what another's fetch brought answers this request, too.
bool is_for(const CachedHead& head, const HeaderList& request) {
  if (!head.is_stored) return false;
  std::string vary_key;
  http::append_vary_key(head.vary, request, vary_key);
  return vary_key == head.vary_key;
}

// What describes a body that is not sent (RFC 9110 section 15.4.5).
void leave_out_for_304(HeaderList& fields) {
  fields.remove_if([](const HeaderField& field) {
    switch (field.id) {
      case Field::content_type:
      case Field::content_encoding:
      case Field::content_range: return true;
      default: return false;
    }
  });
}

}  // namespace

// A request while it is served.
struct ResponseCache::Asked {
  RequestContext& context;
  const std::shared_ptr<const void> plan;
  const RouteCacheConfig& config;
  const http::CacheTerms terms;
  const http::RequestDirectives directives;
  const std::string key;
  const Hash128 resource;
  const uint64_t born;
  http::CacheStatus status = {};
};

// An answer on its way out.
struct ResponseCache::Outgoing {
  uint16_t status = 200;
  HeaderList fields;  // Views of those below, among others.
  std::array<char, 20> age;
  std::string range;  // Content-Range.
  std::optional<ByteRange> part;
};

// Where the bytes of an answer come from: an object that is here, or a fill on its way.
class ResponseCache::Body {
 public:
  explicit Body(std::string_view whole) : whole_(whole) {}
  Body(cache::Fill::Reader& reader, runtime::Interruption& interruption,
       std::optional<uint64_t> length)
      : reader_(&reader), interruption_(&interruption), length_(length) {}

  std::optional<uint64_t> length() const { return reader_ == nullptr ? whole_.size() : length_; }
  // The next piece; empty at the end.
  Task<Result<std::string_view>> next() {
    if (reader_ == nullptr) co_return std::exchange(whole_, {});
    co_return co_await reader_->next(Deadline::never(), interruption_);
  }
  bool is_whole() const { return reader_ == nullptr; }

 private:
  std::string_view whole_;
  cache::Fill::Reader* reader_ = nullptr;
  runtime::Interruption* interruption_ = nullptr;
  std::optional<uint64_t> length_;
};

ResponseCache::ResponseCache(const GatewayParts& parts, const Routing& routing,
                             telemetry::Scope& scope, Proxy& proxy, CacheFetches& fetches)
    : loop_(parts.loop),
      proxy_(proxy),
      shared_(parts.cache),
      fetches_(fetches),
      pages_(routing.pages.get()),
      object_bytes_max_(routing.config.cache.object.bytes) {
  if (shared_ == nullptr) return;
  memory_.emplace(shared_->memory);
  for (size_t i = 0; i < routing.table.size(); ++i) {
    auto& counters = results_.emplace_back();
    if (!routing.table.route(i).cache) continue;
    for (const std::string_view result : enum_names(CacheResult{})) {
      counters.push_back(scope.counter(parts.families.cache.requests,
                                       {routing.labels[i], std::string(result)}, loop_.core()));
    }
  }
}

void ResponseCache::count(const RequestContext& context, CacheResult result) {
  results_[context.route_number][static_cast<size_t>(result)].add();
}

http::CacheTerms ResponseCache::terms_of(const RouteCacheConfig& config) {
  return {.ttl = seconds_of(config.ttl),
          .negative_ttl = seconds_of(config.negative_ttl),
          .overrides = config.overrides,
          .stale_while_revalidate = seconds_of(config.stale_while_revalidate),
          .stale_if_error = seconds_of(config.stale_if_error),
          .heeds_requests = config.heed_requests,
          .is_per_user = config.key.user};
}

// What only the service can judge (RFC 9111 section 4.3.2), or is no plain request.
bool ResponseCache::has_to_pass(const RequestContext& context) {
  const http::RequestHead& request = context.exchange.request();
  return request.wants_upgrade || !request.framing.is_empty() || request.is_grpc() ||
         request.fields.has(Field::if_match) || request.fields.has(Field::if_unmodified_since);
}

Task<void> ResponseCache::pass(RequestContext& context, CacheForward why) {
  count(context, CacheResult::bypass);
  context.cache_status = http::CacheStatus{.forward = why};
  co_await proxy_.forward(context, *context.metrics);
}

cache::MemoryTier::Object ResponseCache::look_up(const std::string& key) {
  auto object = memory_->find(cache::CacheKey::of(key));
  if (object != nullptr && shared_->purges.is_purged(object->resource, object->born)) {
    return nullptr;
  }
  return object;
}

ResponseCache::Found ResponseCache::find(const Asked& asked) {
  Found found{.key = asked.key};
  found.object = look_up(asked.key);
  if (found.object == nullptr) return found;
  const auto* what = static_cast<const AnswerOrIndex*>(found.object->head.get());
  if (what->is_index()) {
    found.has_variants = true;
    std::string vary_key;
    http::append_vary_key(static_cast<const VaryIndex*>(what)->names,
                          asked.context.exchange.request().fields, vary_key);
    found.key = variant_key(asked.key, vary_key);
    found.object = look_up(found.key);
    if (found.object == nullptr) return found;
    what = static_cast<const AnswerOrIndex*>(found.object->head.get());
  }
  found.head = static_cast<const CachedHead*>(what);
  return found;
}

Task<void> ResponseCache::serve(RequestContext& context, std::shared_ptr<const void> plan) {
  const http::RequestHead& request = context.exchange.request();
  const RouteCacheConfig& config = *context.route->cache;
  const bool is_read = request.method == http::Method::get || request.method == http::Method::head;
  if (!is_read) co_return co_await pass(context, CacheForward::method);
  if (has_to_pass(context) || is_bypassed(context, config)) {
    co_return co_await pass(context, CacheForward::bypass);
  }
  const http::CacheTerms terms = terms_of(config);
  http::ResourceName resource = resource_of(context);
  if (config.key.query) resource.has_query = false;  // Whatever the query, it is purged as one.
  Asked asked{.context = context,
              .plan = std::move(plan),
              .config = config,
              .terms = terms,
              .directives = http::heeded(request.fields, terms),
              .key = cache_key(context, config.key),
              .resource = SipHash::of(resource_key(resource), {}),
              .born = shared_->purges.now()};
  Found found = find(asked);
  const http::CacheTime now = http::cache_time(loop_.wall_now());
  CacheUse use = asked.directives.only_if_cached ? CacheUse::unsatisfiable : CacheUse::validate;
  if (found.head != nullptr) use = http::use_of(found.head->freshness, asked.directives, now);
  if (use == CacheUse::unsatisfiable) {
    (void)co_await context.answer.send(
        context, {.status = 504, .text = "the client wants nothing but what is kept here"});
    co_return;
  }
  if (use == CacheUse::validate) co_return co_await fetch_for(asked, std::move(found));
  asked.status.is_hit = true;
  asked.status.ttl = -found.head->freshness.stale_by(now);
  count(context, use == CacheUse::fresh ? CacheResult::hit : CacheResult::stale);
  if (use == CacheUse::background) refresh(asked, found);
  co_await send(asked, *found.head, Body(found.object->body), false);
}

// Asks for what is newer, while the client gets what is here.
void ResponseCache::refresh(const Asked& asked, const Found& found) {
  auto joined = shared_->fills.join(cache::CacheKey::of(found.key));
  if (joined.lead) start_fetch(asked, std::move(*joined.lead), found);
}

void ResponseCache::start_fetch(const Asked& asked, cache::FillTable::Lead lead, Found found) {
  const StoredBefore before{.object = std::move(found.object), .head = found.head};
  fetches_.gate.spawn(fetch(std::make_unique<FetchRequest>(asked.context), std::move(lead), before,
                            {.terms = asked.terms,
                             .object_bytes_max = object_bytes_max_,
                             .key = asked.key,
                             .resource = asked.resource,
                             .born = asked.born},
                            asked.plan));
}

Task<void> ResponseCache::fetch(std::unique_ptr<FetchRequest> request, cache::FillTable::Lead lead,
                                StoredBefore before, CacheFetch::Options options,
                                std::shared_ptr<const void> plan) {
  CacheFetch exchange(loop_, *request, std::move(lead), before, std::move(options));
  fetches_.under_way.push_back(exchange);
  exchange.add_conditions();
  do {
    Scratch scratch;
    RequestContext context(exchange, scratch);
    request->describe(context);
    context.answer.show_errors_by(pages_);
    co_await proxy_.forward(context, *context.metrics);
  } while (exchange.wants_whole());
  keep(exchange.finish_fetch(), before);
  plan.reset();
}

void ResponseCache::keep(const CacheFetch::Outcome& outcome, const StoredBefore& before) {
  if (outcome.removes_stored) shared_->memory.remove(cache::CacheKey::of(before.object->key));
  if (outcome.object == nullptr) return;
  const auto& object = *outcome.object;
  if (shared_->purges.is_purged(object.resource, object.born)) return;
  if (outcome.vary_index != nullptr) memory_->put(outcome.vary_index);
  memory_->put(outcome.object);
}

// The first who asks has it fetched; others read along. What turns out to be for one alone, each of
// the others asks for itself: they do not wait for one another.
Task<void> ResponseCache::fetch_for(Asked& asked, Found found) {
  RequestContext& context = asked.context;
  const http::RequestHead& request = context.exchange.request();
  asked.status.forward = why_fetched(asked, found);
  const bool is_part = request.fields.has(Field::range);
  if (is_part || request.method == http::Method::head || !co_await read_along(asked, found)) {
    co_await pass(context, asked.status.forward);
  }
}

CacheForward ResponseCache::why_fetched(const Asked& asked, const Found& found) {
  if (found.head == nullptr) {
    return found.has_variants ? CacheForward::vary_miss : CacheForward::uri_miss;
  }
  return asked.directives.no_cache ? CacheForward::request : CacheForward::stale;
}

// False: what came is not for this request.
Task<bool> ResponseCache::read_along(Asked& asked, Found& found) {
  RequestContext& context = asked.context;
  ClientWatch watch(context.exchange);
  auto joined = shared_->fills.join(cache::CacheKey::of(found.key));
  const bool leads = joined.lead.has_value();
  cache::Fill::Reader reader(joined.fill, loop_);  // Before anything can be written.
  if (leads) start_fetch(asked, std::move(*joined.lead), std::move(found));
  auto read = co_await reader.head(Deadline::never(), &watch.interruption);
  if (watch.interruption.is_interrupted()) {
    (void)ClientWatch::end_without_client(context);
    co_return true;
  }
  if (!read) co_return false;  // We are closing, and no fetch begins.
  const auto& head = static_cast<const CachedHead&>(**read);
  if (!leads && !is_for(head, context.exchange.request().fields)) co_return false;
  const bool is_validated = head.origin_status == 304;
  const bool is_covered = head.origin_status >= 500;
  count(context, is_validated ? CacheResult::revalidated
                 : is_covered ? CacheResult::covered
                 : leads      ? CacheResult::miss
                              : CacheResult::collapsed);
  asked.status.is_hit = is_validated || is_covered;
  asked.status.is_collapsed = !leads;
  asked.status.is_stored = head.is_stored;
  asked.status.forward_status = head.origin_status;
  asked.status.detail = head.not_stored;
  co_await send(asked, head, Body(reader, watch.interruption, head.length), leads);
  co_return true;
}

// False: there is no room for the fields.
bool ResponseCache::prepare(const Asked& asked, const CachedHead& head, bool is_first,
                            Outgoing& to) {
  to.status = head.status;
  if (!head.copy_fields(to.fields, is_first)) return false;
  if (!head.is_stored) return true;  // It goes on as it came.
  to.fields.remove(Field::age);
  const int64_t age = head.freshness.age(http::cache_time(loop_.wall_now()));
  if (age == 0 && !asked.status.is_hit) return true;
  const auto end = fmt::format_to(to.age.data(), "{}", age);
  return to.fields.add(Field::age, {to.age.data(), end});
}

// What the client has already, and which part of the rest it wants (RFC 9111 section 4.3.2, RFC
// 9110 section 14). Of several parts it gets all.
void ResponseCache::cut(const http::RequestHead& request, const CachedHead& head, const Body& body,
                        Outgoing& to) {
  if (to.status != 200) return;
  const http::Validators validators = validators_of(head);
  if (http::evaluate(request, validators) == http::Precondition::not_modified) {
    to.status = 304;
    leave_out_for_304(to.fields);
    return;
  }
  const HeaderField* range = request.fields.find(Field::range);
  const bool may_cut = range != nullptr && request.method == http::Method::get && body.is_whole();
  if (!may_cut || !http::range_applies(request.fields, validators)) return;
  const auto parts = http::parse_ranges(range->value, *body.length());
  if (!parts || parts->size() > 1) return;
  if (parts->empty()) {
    to.status = 416;
    to.range = fmt::format("bytes */{}", *body.length());
    return;
  }
  to.part = parts->front();
  to.range = fmt::format("bytes {}-{}/{}", to.part->first, to.part->last, *body.length());
  if (to.fields.add(Field::content_range, to.range)) to.status = 206;
}

Task<void> ResponseCache::send(Asked& asked, const CachedHead& head, Body body, bool is_first) {
  RequestContext& context = asked.context;
  const http::RequestHead& request = context.exchange.request();
  context.cache_status = asked.status;
  Outgoing to;
  if (!prepare(asked, head, is_first, to)) co_return;
  cut(request, head, body, to);
  if (to.status == 416) {
    (void)co_await context.answer.send(
        context,
        {.status = 416, .text = "there is no such part", .fields = {{"content-range", to.range}}});
    co_return;
  }
  BodyFraming framing{.kind = BodyFraming::Kind::chunked};
  if (body.length()) framing = {.kind = BodyFraming::Kind::length, .length = *body.length()};
  if (to.part) framing.length = to.part->size();
  if (to.status == 304) framing = {};
  if (!context.answer.start(context, {.status = to.status,
                                      .reason = http::reason_of(to.status),
                                      .fields = to.fields,
                                      .framing = framing})) {
    co_return;
  }
  const bool has_body = to.status != 304 && request.method != http::Method::head;
  if (has_body) co_return co_await send_body(context, body, to.part);
  (void)co_await context.answer.finish();
}

// A client that cannot be told is gone, and that is all there is to it.
Task<void> ResponseCache::send_body(RequestContext& context, Body& body,
                                    const std::optional<ByteRange>& part) {
  while (true) {
    auto piece = co_await body.next();
    if (!piece) {  // The connection shows the cut.
      context.error = piece.error();
      context.has_failed = true;
      co_return;
    }
    std::string_view bytes = *piece;
    if (part) bytes = bytes.substr(part->first, part->size());
    const bool is_last = body.is_whole() || bytes.empty();
    if (!co_await context.answer.write(bytes, is_last) || is_last) co_return;
    if (!co_await context.answer.flush()) co_return;
  }
}

}  // namespace spillway::gateway
