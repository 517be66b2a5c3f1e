// gateway/filters/header_rules.cc: remove, then set, then add.
#include "gateway/filters/header_rules.h"

#include "gateway/template.h"

namespace spillway::gateway {
namespace {

// False: no room.
bool apply(const HeaderRules& rules, RequestContext& context, http::HeaderList& fields) {
  for (const ChangedField& field : rules.remove) http::remove_variables(fields, {&field.name, 1});
  for (const auto& [name, value] : rules.set) {
    http::remove_variables(fields, {&name, 1});
    const auto text = fill_in(value, context);
    if (!text || !fields.add(name, *text)) return false;
  }
  for (const auto& [name, value] : rules.add) {
    const auto text = fill_in(value, context);
    if (!text || !fields.add(name, *text)) return false;
  }
  return true;
}

}  // namespace

Verdict RequestHeaders::on_request(RequestContext& context) const {
  http::HeaderList& fields = context.exchange.request().fields;
  context.request_rules = &config_.request_headers;
  if (apply(config_.request_headers, context, fields) &&
      apply(context.route->request_headers, context, fields)) {
    return Verdict::go_on;
  }
  return context.end_with({.status = 431, .text = "the request head is too long"});
}

bool ResponseHeaders::on_answer(RequestContext& context, AnswerHead& head) const {
  if (!apply(config_.response_headers, context, head.fields)) return false;
  return context.route == nullptr || apply(context.route->response_headers, context, head.fields);
}

}  // namespace spillway::gateway
