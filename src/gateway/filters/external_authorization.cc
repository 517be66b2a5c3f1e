// gateway/filters/external_authorization.cc: the question, and what the answer means.
#include "gateway/filters/external_authorization.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "gateway/client_watch.h"

namespace spillway::gateway {

using http::Field;
using runtime::Task;

namespace {

constexpr std::string_view method_label = "external";
constexpr size_t challenge_index = 0;  // WWW-Authenticate, in what is wanted of an answer.
constexpr size_t first_copy = 1;

// A copy that lives as long as the request; nothing if there is no room.
std::optional<std::string_view> keep(Scratch& scratch, std::string_view text) {
  const auto space = scratch.space();
  if (text.size() > space.size()) return std::nullopt;
  std::ranges::copy(text, space.begin());
  scratch.use(text.size());
  return std::string_view(space.data(), text.size());
}

}  // namespace

ExternalAuthorization::ExternalAuthorization(const identity::ExternalConfig& config,
                                             std::shared_ptr<Service> service,
                                             http::ClientPool& pool)
    : config_(config), service_(std::move(service)), pool_(pool) {
  wanted_.emplace_back("www-authenticate");
  for (const identity::FieldName& name : config.copy) wanted_.emplace_back(name.text);
  if (config.user) wanted_.emplace_back(config.user->text);
}

// The path in the one form that is matched and forwarded, so that the service decides about what
// will be done. False: more fields than a message may have.
bool ExternalAuthorization::fill(const RequestContext& context, http::HeaderList& fields,
                                 std::string& target) const {
  const http::RequestHead& request = context.exchange.request();
  target = context.path;
  if (request.has_query) target.append("?").append(request.query);
  bool fits = true;
  for (const identity::FieldName& name : config_.forward) {
    for (const http::HeaderField& field : request.fields) {
      if (equals_ignoring_case(field.name, name.text)) fits &= fields.add(name.text, field.value);
    }
  }
  for (const Field id : {Field::x_forwarded_for, Field::x_real_ip, Field::x_request_id}) {
    if (const auto* field = request.fields.find(id)) fits &= fields.add(id, field->value);
  }
  fits &= fields.add("x-forwarded-method", request.method_text);
  fits &= fields.add(Field::x_forwarded_proto, context.scheme);
  fits &= fields.add(Field::x_forwarded_host, context.host);
  fits &= fields.add("x-forwarded-uri", target);
  return fits;
}

Verdict ExternalAuthorization::fail_open_or_closed(RequestContext& context,
                                                   AuthMetrics& metrics) const {
  const bool is_allowed = config_.on_failure == identity::OnFailure::allow;
  metrics.count(method_label, is_allowed ? "failed_allowed" : "failed");
  if (is_allowed) return Verdict::go_on;
  return context.end_with({.status = 503,
                           .text = "nobody can tell now whether this request may pass",
                           .fields = {{"retry-after", "1"}}});
}

Task<Verdict> ExternalAuthorization::ask(RequestContext& context, AuthMetrics& metrics) const {
  const auto fields = std::make_unique<http::HeaderList>();
  std::string target;
  if (!fill(context, *fields, target)) {
    co_return context.end_with({.status = 431, .text = "too many header fields"});
  }
  runtime::Loop& loop = context.exchange.loop();
  ClientWatch watch(context.exchange);
  auto reply = co_await gateway::ask(
      loop, pool_,
      {.service = *service_, .path = config_.path, .fields = *fields, .wanted = wanted_},
      watch.interruption, Deadline::after(loop.now(), config_.timeout));
  if (watch.interruption.is_interrupted()) {
    co_return ClientWatch::end_without_client(context);
  }
  if (!reply) {
    context.error = std::move(reply).error();
    context.has_failed = config_.on_failure == identity::OnFailure::deny;
    co_return fail_open_or_closed(context, metrics);
  }
  if (reply->status == 401 || reply->status == 403) {
    metrics.count(method_label, reply->status == 401 ? "refused" : "forbidden");
    co_return refuse(context, *std::move(reply));
  }
  if (reply->status < 200 || reply->status > 299) co_return fail_open_or_closed(context, metrics);
  metrics.count(method_label, "verified");
  co_return pass(context, *reply);
}

Verdict ExternalAuthorization::refuse(RequestContext& context, Reply reply) {
  LocalReply answer{.status = reply.status};
  if (!reply.values[challenge_index].empty()) {
    answer.fields.push_back({"www-authenticate", std::move(reply.values[challenge_index])});
  }
  const auto type = keep(context.scratch, reply.content_type);
  const auto body = keep(context.scratch, reply.body);
  if (type && body && !type->empty() && !body->empty()) {
    answer.content_type = *type;
    answer.body = *body;
  }
  return context.end_with(std::move(answer));
}

Verdict ExternalAuthorization::pass(RequestContext& context, const Reply& reply) const {
  http::HeaderList& fields = context.exchange.request().fields;
  bool fits = true;
  for (size_t i = 0; i < config_.copy.size() && fits; ++i) {
    const std::string& value = reply.values[first_copy + i];
    if (value.empty()) continue;
    const auto kept = keep(context.scratch, value);
    fits = kept && fields.add(config_.copy[i].text, *kept);
  }
  if (config_.user && fits) {
    const auto kept = keep(context.scratch, reply.values.back());
    fits = kept.has_value();
    if (fits) context.user = *kept;
  }
  if (fits) return Verdict::go_on;
  return context.end_with({.status = 431, .text = "too many header fields"});
}

}  // namespace spillway::gateway
