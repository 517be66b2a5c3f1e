// gateway/filters/compression.cc: what may be compressed, and the fields that say so.
#include "gateway/filters/compression.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/ascii.h"
#include "http/accept_encoding.h"
#include "http/list.h"

namespace spillway::gateway {
namespace {

using http::BodyFraming;
using http::Field;

// Without a body to compress, or a part of one.
bool is_bodiless(uint16_t status) { return status == 204 || status == 206 || status == 304; }

// The length of the body, also where HEAD asks for its description alone.
std::optional<uint64_t> length_of(const RequestContext& context, const AnswerHead& head) {
  if (head.framing.kind == BodyFraming::Kind::length) return head.framing.length;
  if (context.exchange.request().method == http::Method::head) {
    return parse_decimal<uint64_t>(head.fields.value(Field::content_length));
  }
  if (head.framing.kind == BodyFraming::Kind::none) return 0;
  return {};
}

bool add_vary(http::HeaderList& fields) {
  return http::field_has_token(fields, Field::vary, "accept-encoding") ||
         http::field_has_token(fields, Field::vary, "*") ||
         fields.add(Field::vary, "Accept-Encoding");
}

// A weak form of the ETag in its place; none, if there is no room for it.
bool weaken_etag(RequestContext& context, http::HeaderList& fields) {
  const std::string_view etag = fields.value(Field::etag);
  if (etag.empty() || etag.starts_with("W/")) return true;
  fields.remove(Field::etag);
  const std::span<char> space = context.scratch.space();
  if (etag.size() + 2 > space.size()) return true;
  std::memcpy(space.data(), "W/", 2);
  std::memcpy(space.data() + 2, etag.data(), etag.size());
  context.scratch.use(etag.size() + 2);
  return fields.add(Field::etag, {space.data(), etag.size() + 2});
}

// What a 200 would say (RFC 9110 section 15.4.5), though nobody knows here of what type it would
// be: a client that asks by the weak form of the ETag got it compressed.
bool mark_unchanged(RequestContext& context, AnswerHead& head) {
  const std::string_view etag = head.fields.value(Field::etag);
  const std::string_view asked = context.exchange.request().fields.value(Field::if_none_match);
  const bool was_weak = !etag.empty() && asked.contains("W/" + std::string(etag));
  return add_vary(head.fields) && (!was_weak || weaken_etag(context, head.fields));
}

}  // namespace

bool forbids_transforms(const http::HeaderList& fields) {
  return fields.find("x-no-compression") != nullptr ||
         http::field_has_token(fields, Field::cache_control, "no-transform");
}

Compression::Compression(const CompressConfig& config, const GatewayParts& parts,
                         telemetry::Scope& scope)
    : config_(config),
      refused_(scope.counter(parts.families.compression_refused, {}, parts.loop.core())) {
  const MetricFamilies& families = parts.families;
  const uint32_t core = parts.loop.core();
  for (const std::string_view name : http::enum_names(http::ContentCoding{})) {
    const std::string encoding(name);
    counters_.push_back(
        {.answers = scope.counter(families.compressed, {encoding}, core),
         .bytes_in = scope.counter(families.compression_bytes, {encoding, "in"}, core),
         .bytes_out = scope.counter(families.compression_bytes, {encoding, "out"}, core)});
  }
}

bool Compression::is_compressible(const RequestContext& context, const AnswerHead& head) const {
  const http::HeaderList& fields = head.fields;
  if (is_bodiless(head.status) || fields.has(Field::content_encoding) ||
      fields.has(Field::content_range)) {
    return false;
  }
  const auto length = length_of(context, head);
  if (length && *length < config_.minimum.bytes) return false;
  const std::string_view type = fields.value(Field::content_type);
  const bool is_of_type = std::ranges::any_of(
      config_.types, [type](const MediaPattern& pattern) { return pattern.matches(type); });
  if (!is_of_type || forbids_transforms(fields)) return false;
  return fields.find("content-digest") == nullptr && fields.find("repr-digest") == nullptr &&
         fields.find("digest") == nullptr;
}

// Length and ranges were those of other bytes.
bool Compression::mark(RequestContext& context, AnswerHead& head,
                       http::ContentCoding coding) const {
  head.framing = {.kind = BodyFraming::Kind::chunked};
  head.fields.remove(Field::content_length);
  head.fields.remove("accept-ranges");
  return weaken_etag(context, head.fields) &&
         head.fields.add(Field::content_encoding, to_string(coding));
}

bool Compression::on_answer(RequestContext& context, AnswerHead& head) const {
  if (head.status == 304) return mark_unchanged(context, head);
  if (!is_compressible(context, head)) return true;
  // Also where this client gets it as it is: the next may not (RFC 9110 section 12.5.5).
  if (!add_vary(head.fields)) return false;
  const http::RequestHead& request = context.exchange.request();
  if (forbids_transforms(request.fields)) return true;
  const auto coding = http::choose_coding(request.fields, config_.encodings);
  if (!coding) return true;
  const bool is_stream = head.framing.kind != BodyFraming::Kind::length;
  EncodingCounters& counters = counters_[static_cast<size_t>(*coding)];
  if (request.method != http::Method::head) {
    auto encoder = pool_.take(*coding);
    if (!encoder) {
      refused_.add();
      return true;
    }
    context.answer.encode_with(std::move(encoder), counters, is_stream);
    counters.answers.add();
  }
  return mark(context, head, *coding);
}

}  // namespace spillway::gateway
