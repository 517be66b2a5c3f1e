// gateway/filters/tracing.cc: X-Request-Id and traceparent.
#include "gateway/filters/tracing.h"

#include <algorithm>

namespace spillway::gateway {

using http::Field;
using http::TraceContext;

bool Tracing::is_trusted(const IpAddress& address) const {
  return std::ranges::any_of(trusted_,
                             [&](const IpPrefix& prefix) { return prefix.contains(address); });
}

Verdict Tracing::on_request(RequestContext& context) const {
  http::HeaderList& fields = context.exchange.request().fields;
  Random& random = context.exchange.loop().random();
  const std::span<char> space = context.scratch.space();
  constexpr size_t wanted = http::request_id_size + TraceContext::text_size;
  if (space.size() < wanted)
    return context.end_with({.status = 431, .text = "the request head is too long"});
  context.scratch.use(wanted);

  const http::HeaderField* id = fields.find(Field::x_request_id);
  const bool is_taken_over = id != nullptr && http::is_valid_request_id(id->value) &&
                             is_trusted(context.exchange.client().peer.ip);
  if (is_taken_over) {
    context.request_id = id->value;
  } else {
    http::write_request_id(random, space.first<http::request_id_size>());
    context.request_id = {space.data(), http::request_id_size};
    fields.remove(Field::x_request_id);
    if (!fields.add(Field::x_request_id, context.request_id)) {
      return context.end_with({.status = 431, .text = "too many header fields"});
    }
  }

  const bool has_one_parent = fields.count(Field::traceparent) == 1;
  const auto parent =
      has_one_parent ? TraceContext::parse(fields.value(Field::traceparent)) : std::nullopt;
  context.trace = parent ? parent->child(random) : TraceContext::make(random, false);
  if (!parent) fields.remove(Field::tracestate);
  fields.remove(Field::traceparent);
  const auto text = space.subspan<http::request_id_size, TraceContext::text_size>();
  context.trace.write(text);
  if (!fields.add(Field::traceparent, {text.data(), text.size()})) {
    return context.end_with({.status = 431, .text = "too many header fields"});
  }
  return Verdict::go_on;
}

}  // namespace spillway::gateway
