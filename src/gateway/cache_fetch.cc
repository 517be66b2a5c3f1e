// gateway/cache_fetch.cc: copied requests, and answers judged at their heads.
#include "gateway/cache_fetch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "http/accept_encoding.h"
#include "http/cache_update.h"
#include "http/http_date.h"
#include "http/vary.h"

namespace spillway::gateway {

using http::BodyFraming;
using http::Field;
using http::HeaderField;
using http::HeaderList;
using runtime::Task;

namespace {

constexpr Duration reader_timeout = 60s;  // Of the slowest one, where the fetch waits for it.

// What makes an answer a part, or none at all, and is the client's alone.
bool is_condition(const HeaderField& field) {
  switch (field.id) {
    case Field::range:
    case Field::if_range:
    case Field::if_match:
    case Field::if_none_match:
    case Field::if_modified_since:
    case Field::if_unmodified_since:
    case Field::expect:
    case Field::accept_encoding: return true;
    default: return false;
  }
}

// "zstd, br, gzip" or less; empty: none is taken.
std::string codings_text(const HeaderList& fields) {
  std::string text;
  const http::AcceptedCodings accepted = http::accepted_codings(fields);
  for (size_t i = 0; i < http::content_coding_count; ++i) {
    if (!accepted.takes[i]) continue;
    if (!text.empty()) text += ", ";
    text += to_string(static_cast<http::ContentCoding>(i));
  }
  return text;
}

// RFC 5861 section 4.
bool is_failure(uint16_t status) {
  return status == 500 || status == 502 || status == 503 || status == 504;
}

}  // namespace

FetchRequest::FetchRequest(const RequestContext& context) {
  const http::RequestHead& request = context.exchange.request();
  const std::string codings = codings_text(request.fields);
  size_t size = codings.size();
  const std::array views = {context.path,   context.upstream_path, context.upstream_host,
                            context.scheme, context.host,          context.request_id,
                            request.target, request.authority,     request.host,
                            request.path,   request.query};
  for (const std::string_view view : views) size += view.size();
  for (const HeaderField& field : request.fields) size += field.name.size() + field.value.size();
  text.reserve(size);  // No view below moves.
  const auto copy = [this](std::string_view view) {
    const size_t begin = text.size();
    text += view;
    return std::string_view(text).substr(begin);
  };
  path = copy(context.path);
  upstream_path = copy(context.upstream_path);
  upstream_host = copy(context.upstream_host);
  scheme = copy(context.scheme);
  host = copy(context.host);
  request_id = copy(context.request_id);
  head.method = http::Method::get;
  head.method_text = http::to_string(http::Method::get);
  head.minor_version = request.minor_version;
  head.is_http2 = request.is_http2;
  head.keep_alive = true;
  head.has_query = request.has_query;
  head.port = request.port;
  head.target = copy(request.target);
  head.authority = copy(request.authority);
  head.host = copy(request.host);
  head.path = copy(request.path);
  head.query = copy(request.query);
  for (const HeaderField& field : request.fields) {
    if (is_condition(field)) continue;
    const std::string_view name = copy(field.name);
    CHECK(head.fields.add(field.id, name, copy(field.value)));  // Not more than there were.
  }
  if (!codings.empty()) CHECK(head.fields.add(Field::accept_encoding, copy(codings)));
  client = context.exchange.client();
  client.certificate = {};
  trace = context.trace;
  address = context.client;
  route = context.route;
  route_label = context.route_label;
  route_number = context.route_number;
  service = context.service;
  metrics = context.metrics;
}

void FetchRequest::describe(RequestContext& context) const {
  context.path = path;
  context.upstream_path = upstream_path;
  context.upstream_host = upstream_host;
  context.client = address;
  context.scheme = scheme;
  context.host = host;
  context.request_id = request_id;
  context.trace = trace;
  context.route = route;
  context.route_label = route_label;
  context.route_number = route_number;
  context.service = service;
  context.metrics = metrics;
  context.is_fetch = true;
}

CacheFetch::CacheFetch(runtime::Loop& loop, FetchRequest& request, cache::FillTable::Lead lead,
                       StoredBefore before, Options options)
    : Exchange(loop, request.head, request.client, request.limits),
      copy_(request),
      lead_(std::move(lead)),
      before_(std::move(before)),
      options_(std::move(options)),
      asked_at_(http::cache_time(loop.wall_now())) {}

// RFC 9111 section 4.3.1.
void CacheFetch::add_conditions() {
  if (before_.head == nullptr) return;
  const std::string_view etag = before_.head->value(Field::etag);
  const std::string_view modified = before_.head->value(Field::last_modified);
  has_conditions_ =
      (!etag.empty() && request_.fields.add(Field::if_none_match, etag)) || has_conditions_;
  has_conditions_ =
      (!modified.empty() && request_.fields.add(Field::if_modified_since, modified)) ||
      has_conditions_;
}

bool CacheFetch::wants_whole() {
  if (course_ != Course::refetch) return false;
  request_.fields.remove(Field::if_none_match);
  request_.fields.remove(Field::if_modified_since);
  has_conditions_ = false;
  course_ = Course::fetched;
  status_ = 0;
  has_ended_ = false;
  return true;
}

Task<Result<std::string_view>> CacheFetch::read_body() { co_return std::string_view{}; }

Task<Result<void>> CacheFetch::send_interim(uint16_t, const HeaderList*) {
  co_return Result<void>{};  // Whoever asked has not asked for it.
}

Task<Result<void>> CacheFetch::flush() { co_return Result<void>{}; }

Task<Result<void>> CacheFetch::switch_protocols(const http::ResponseHead&) {
  co_return fail(Error::Code::protocol, "a fetch does not switch protocols");
}

Task<http::TunnelEnd> CacheFetch::tunnel(runtime::Socket&, runtime::Buffer&, Duration) {
  co_return http::TunnelEnd{};
}

Result<void> CacheFetch::start_response(uint16_t status, std::string_view, const HeaderList& fields,
                                        BodyFraming framing) {
  status_ = status;
  if (status == 304 && has_conditions_) {
    HeaderList stored;
    CHECK(before_.head->copy_fields(stored, false));
    if (http::is_validated_by(stored, fields)) {
      take_validated(fields);
    } else {
      course_ = Course::refetch;
    }
    return {};
  }
  const bool is_covered =
      is_failure(status) && before_.head != nullptr &&
      http::may_cover_error(before_.head->freshness, http::heeded(request_.fields, options_.terms),
                            http::cache_time(loop_.wall_now()));
  if (is_covered) {
    take_covered(status);
  } else {
    take_fetched(status, fields, framing);
  }
  return {};
}

void CacheFetch::begin_with(std::shared_ptr<CachedHead> head, bool keeps_all) {
  keeps_ = keeps_all;
  head_ = std::move(head);
  fill()->begin(head_, keeps_all);
  if (!head_->is_stored) lead_.give_up();
}

// May it be stored, and for whom it is.
void CacheFetch::judge(CachedHead& head, const HeaderList& fields) {
  http::ResponseHead answer;
  answer.status = head.status;
  answer.fields = fields;
  auto storable = http::may_store({request_, answer, asked_at_, http::cache_time(loop_.wall_now())},
                                  options_.terms);
  head.set_fields(fields);
  head.is_stored = storable.has_value();
  if (!storable) {
    head.not_stored = to_string(storable.error());
    return;
  }
  head.freshness = storable->freshness;
  head.withhold(storable->withheld);
  head.vary = *http::vary_names(fields);
  // A body in a coding is for those who take it, whatever the service says of it.
  const bool is_coded = fields.has(Field::content_encoding);
  if (is_coded && std::ranges::find(head.vary, "accept-encoding") == head.vary.end()) {
    head.vary.insert(head.vary.begin(), "accept-encoding");
  }
  http::append_vary_key(head.vary, request_.fields, head.vary_key);
}

void CacheFetch::take_fetched(uint16_t status, const HeaderList& fields, BodyFraming framing) {
  auto head = std::make_shared<CachedHead>();
  head->status = status;
  if (framing.kind == BodyFraming::Kind::length) head->length = framing.length;
  if (framing.kind == BodyFraming::Kind::none) head->length = 0;
  HeaderList kept = fields;
  std::array<char, http::http_date_size> date;
  if (!kept.has(Field::date)) {  // RFC 9110 section 6.6.1.
    http::write_http_date(std::chrono::floor<std::chrono::seconds>(loop_.wall_now()), date.data());
    (void)kept.add(Field::date, {date.data(), date.size()});
  }
  judge(*head, kept);
  if (head->is_stored) {
    // What ends with its connection may have been cut.
    if (framing.kind == BodyFraming::Kind::until_close) head->not_stored = "no-end";
    if (head->length.value_or(0) > options_.object_bytes_max) head->not_stored = "too-large";
    head->is_stored = head->not_stored.empty();
  }
  const bool keeps_all = head->is_stored;
  begin_with(std::move(head), keeps_all);
}

// RFC 9111 section 4.3.4.
void CacheFetch::take_validated(const HeaderList& update) {
  course_ = Course::validated;
  HeaderList stored;
  HeaderList merged;
  CHECK(before_.head->copy_fields(stored, false));
  stored.remove(Field::age);
  if (!http::merge_update(stored, update, merged)) merged = stored;
  auto head = std::make_shared<CachedHead>();
  head->status = before_.head->status;
  head->origin_status = 304;
  head->length = before_.object->body.size();
  judge(*head, merged);
  begin_with(std::move(head), true);
  fill()->put(before_.object->body);
}

void CacheFetch::take_covered(uint16_t status) {
  course_ = Course::covered;
  auto head = before_.head->shared_copy();
  head->origin_status = status;
  begin_with(std::move(head), true);
  fill()->put(before_.object->body);
}

Task<Result<void>> CacheFetch::write(std::string_view piece, bool last) {
  if (course_ != Course::fetched) {  // What others than the fill get is no body of theirs.
    has_ended_ = has_ended_ || last;
    co_return Result<void>{};
  }
  bytes_ += piece.size();
  if (keeps_ && bytes_ > options_.object_bytes_max) {
    keeps_ = false;
    lead_.give_up();
    fill()->keep_no_more();
  }
  CO_TRY_VOID(co_await fill()->append(loop_, piece, Deadline::after(loop_.now(), reader_timeout)));
  if (last) has_ended_ = is_whole_ = true;
  co_return Result<void>{};
}

Task<Result<void>> CacheFetch::finish(const HeaderList*) { co_return co_await write({}, true); }

void CacheFetch::cut() {
  is_cut_ = true;
  if (listener_ != nullptr) listener_->on_hangup(true);
}

Task<Result<void>> CacheFetches::close(Deadline deadline) {
  auto closed = co_await gate.close(deadline);
  if (closed) co_return closed;
  for (CacheFetch* fetch = under_way.first(); fetch != nullptr;) {
    CacheFetch* const next = under_way.next(*fetch);
    fetch->cut();
    fetch = next;
  }
  CHECK((co_await gate.close(Deadline::never())).has_value());
  co_return closed;
}

CacheFetch::Outcome CacheFetch::finish_fetch() {
  const bool is_whole = is_whole_ || course_ == Course::validated || course_ == Course::covered;
  fill()->end(is_whole);
  Outcome outcome;
  if (course_ == Course::covered || head_ == nullptr) return outcome;
  const bool is_stored = is_whole && keeps_ && head_->is_stored;
  outcome.removes_stored =
      before_.object != nullptr && !head_->is_stored && !is_failure(head_->status);
  if (!is_stored) return outcome;
  std::shared_ptr<const CachedHead> head = head_;
  if (head->has_withheld()) head = head->shared_copy();
  const auto object = [&](std::string key, std::shared_ptr<const cache::ObjectHead> its_head,
                          std::string body) {
    return std::make_shared<const cache::StoredObject>(
        cache::StoredObject{.key = std::move(key),
                            .head = std::move(its_head),
                            .body = std::move(body),
                            .resource = options_.resource,
                            .born = options_.born});
  };
  if (head->vary.empty()) {
    outcome.object = object(options_.key, head, fill()->body());
    return outcome;
  }
  outcome.object = object(variant_key(options_.key, head->vary_key), head, fill()->body());
  outcome.vary_index = object(options_.key, std::make_shared<VaryIndex>(head->vary), {});
  return outcome;
}

}  // namespace spillway::gateway
