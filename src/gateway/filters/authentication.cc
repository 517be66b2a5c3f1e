// gateway/filters/authentication.cc: what callers show, one way after the other.
#include "gateway/filters/authentication.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "gateway/balance_key.h"

namespace spillway::gateway {

using http::Field;
using identity::TokenFault;
using runtime::Task;

namespace {

constexpr std::string_view verified = "verified";
constexpr std::string_view absent = "absent";
constexpr std::string_view refused = "refused";
constexpr Duration hash_timeout = 5s;        // A second for the slowest hash, and a queue.
constexpr Duration ask_for_keys_every = 1s;  // The fetcher has a pause of its own as well.

std::string_view name_of(AuthMethod method) {
  return enum_names(method)[static_cast<size_t>(method)];
}

// What follows the scheme's name (RFC 9110 section 11.4), or nothing if it is another scheme.
std::optional<std::string_view> after_scheme(std::string_view value, std::string_view scheme) {
  if (value.size() <= scheme.size() || value[scheme.size()] != ' ') return std::nullopt;
  if (!equals_ignoring_case(value.substr(0, scheme.size()), scheme)) return std::nullopt;
  return trimmed(value.substr(scheme.size()));
}

// Two Authorization fields are no proof: one may have been added on the way.
std::optional<std::string_view> authorization(const http::HeaderList& fields) {
  if (fields.count(Field::authorization) != 1) return std::nullopt;
  return fields.value(Field::authorization);
}

}  // namespace

struct Authentication::Core {
  Core(const GatewayParts& parts, const identity::ProcessSecret& secret)
      : loop(parts.loop),
        metrics(parts.families, parts.loop.core()),
        want_keys(parts.want_keys),
        passwords(secret) {}

  void count(AuthMethod method, std::string_view verdict) {
    metrics.count(name_of(method), verdict);
  }
  void ask_for_keys() {
    if (!want_keys || loop.now() < may_ask_at) return;
    may_ask_at = loop.now() + ask_for_keys_every;
    want_keys();
  }

  runtime::Loop& loop;
  AuthMetrics metrics;
  const std::function<void()> want_keys;
  Instant may_ask_at{};
  identity::JwtVerifier tokens;
  identity::Sha256 sha256;
  identity::VerifiedCredentials passwords;
};

Authentication::Authentication(const GatewayParts& parts, const Routing& routing,
                               http::ClientPool& pool)
    : rules_(routing.identity), core_(std::make_unique<Core>(parts, rules_->secret)) {
  const identity::AuthConfig& config = rules_->config;
  if (config.jwt) {
    for (const auto& [claim, header] : config.jwt->claims) ours_.push_back(header.text);
  }
  if (!config.external) return;
  for (const identity::FieldName& name : config.external->copy) ours_.push_back(name.text);
  if (routing.authority != nullptr) external_.emplace(*config.external, routing.authority, pool);
}

Authentication::~Authentication() = default;

// The key that the caller shows, which is not passed on, whatever it is worth.
std::optional<std::string_view> Authentication::take_key(http::HeaderList& fields) const {
  if (!rules_->config.api_keys) return std::nullopt;
  const std::string& header = rules_->config.api_keys->header.text;
  const http::HeaderField* field = fields.find(header);
  const auto key = field == nullptr ? std::nullopt : std::optional(field->value);
  const bool has_other_uses = equals_ignoring_case(header, to_string(Field::authorization));
  if (!has_other_uses) http::remove_variables(fields, {&header, 1});
  return key;
}

Verdict Authentication::on_request(RequestContext& context) const {
  http::HeaderList& fields = context.exchange.request().fields;
  http::remove_variables(fields, ours_);
  context.proven = ours_;
  const auto key = take_key(fields);
  bool waits = false;
  for (const AuthMethod method : context.route->callers.auth) {
    switch (look(method, context, key)) {
      case Finding::passed: return Verdict::go_on;
      case Finding::over: return Verdict::reply;
      case Finding::waits: waits = true; break;
      case Finding::absent:
      case Finding::refused: break;
    }
  }
  if (waits) return Verdict::wait;
  return context.route->callers.auth.empty() ? Verdict::go_on : refuse(context);
}

// What could be told at once was told. Another service has the last word, whatever the order: its
// refusal is an answer.
Task<Verdict> Authentication::finish_request(RequestContext& context) const {
  const auto& ways = context.route->callers.auth;
  const auto takes = [&ways](AuthMethod method) {
    return std::ranges::find(ways, method) != ways.end();
  };
  if (takes(AuthMethod::basic)) {
    const Finding finding = co_await hash_password(context);
    if (finding == Finding::passed) co_return Verdict::go_on;
    if (finding == Finding::over) co_return Verdict::reply;
  }
  if (takes(AuthMethod::external)) co_return co_await external_->ask(context, core_->metrics);
  co_return refuse(context);
}

Authentication::Finding Authentication::look(AuthMethod method, RequestContext& context,
                                             std::optional<std::string_view> key) const {
  switch (method) {
    case AuthMethod::jwt: return look_at_token(context);
    case AuthMethod::api_key: return look_at_key(context, key);
    case AuthMethod::basic: return look_at_password(context);
    case AuthMethod::external: return Finding::waits;
  }
  return Finding::absent;
}

// The first place that has a token; what the others have does not count.
std::optional<std::string_view> Authentication::find_token(const http::HeaderList& fields) const {
  constexpr std::string_view scheme = "Bearer";
  for (const identity::TokenSource& source : rules_->config.jwt->from) {
    std::optional<std::string_view> token;
    if (source.kind == identity::TokenSource::Kind::cookie) {
      token = cookie_value(fields, source.name);
    } else if (source.name == "authorization") {
      if (const auto value = authorization(fields)) token = after_scheme(*value, scheme);
    } else if (const http::HeaderField* field = fields.find(source.name)) {
      token = after_scheme(field->value, scheme).value_or(field->value);
    }
    if (token && !token->empty()) return token;
  }
  return std::nullopt;
}

Authentication::Finding Authentication::look_at_token(RequestContext& context) const {
  const auto token = find_token(context.exchange.request().fields);
  if (!token) {
    core_->count(AuthMethod::jwt, absent);
    return Finding::absent;
  }
  const auto claims =
      core_->tokens.verify(*token, rules_->keys, rules_->policy, core_->loop.wall_now());
  if (!claims) return refuse_token(context, claims.error());
  for (const auto& [name, wanted] : context.route->callers.require) {
    if (!claims->has(name, wanted)) return forbid(context);
  }
  return tell_service(context, *claims);
}

Authentication::Finding Authentication::refuse_token(RequestContext& context,
                                                     TokenFault fault) const {
  core_->count(AuthMethod::jwt, to_string(fault));
  context.token_fault = fault;
  if (fault != TokenFault::unknown_key) return Finding::refused;
  core_->ask_for_keys();
  if (!rules_->awaits_keys) return Finding::refused;
  context.end_with({.status = 503,
                    .text = "the issuer's keys are not here yet",
                    .fields = {{"retry-after", "1"}}});
  return Finding::over;
}

// RFC 6750 section 3.1: the token is good, but not for this.
Authentication::Finding Authentication::forbid(RequestContext& context) const {
  core_->count(AuthMethod::jwt, "forbidden");
  context.end_with(
      {.status = 403,
       .text = "the caller is known, but may not do this",
       .fields = {
           {"www-authenticate",
            fmt::format("Bearer realm=\"{}\", error=\"insufficient_scope\", "
                        "error_description=\"the token lacks a claim that is required here\"",
                        rules_->config.jwt->realm)}}});
  return Finding::over;
}

// A claim that cannot be written is not left away: the service might take its absence for a right.
Authentication::Finding Authentication::tell_service(RequestContext& context,
                                                     const identity::Claims& claims) const {
  const identity::JwtConfig& config = *rules_->config.jwt;
  http::HeaderList& fields = context.exchange.request().fields;
  const auto write = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto text = claims.write(name, context.scratch.space());
    if (text) context.scratch.use(text->size());
    return text;
  };
  for (const auto& [name, header] : config.claims) {
    if (!claims.find(name)) continue;
    const auto value = write(name);
    if (!value) return refuse_token(context, TokenFault::bad_claims);
    if (!fields.add(header.text, trimmed(*value))) {
      context.end_with({.status = 431, .text = "too many header fields"});
      return Finding::over;
    }
  }
  if (const auto user = write(config.user)) context.user = *user;
  core_->count(AuthMethod::jwt, verified);
  return Finding::passed;
}

Authentication::Finding Authentication::look_at_key(RequestContext& context,
                                                    std::optional<std::string_view> key) const {
  if (!key) {
    core_->count(AuthMethod::api_key, absent);
    return Finding::absent;
  }
  const std::string* name = rules_->api_keys->find(*key, core_->sha256);
  core_->count(AuthMethod::api_key, name == nullptr ? refused : verified);
  if (name == nullptr) return Finding::refused;
  context.exchange.request().fields.remove(rules_->config.api_keys->header.text);
  context.user = *name;
  return Finding::passed;
}

Authentication::Finding Authentication::look_at_password(RequestContext& context) const {
  using Answer = identity::VerifiedCredentials::Answer;
  identity::BasicText text;
  const auto credentials = find_credentials(context.exchange.request().fields, text);
  if (!credentials) {
    core_->count(AuthMethod::basic, absent);
    return Finding::absent;
  }
  const Answer answer = core_->passwords.look_up(rules_->users, *credentials);
  if (answer == Answer::needs_hash) return Finding::waits;
  core_->count(AuthMethod::basic, answer == Answer::verified ? verified : refused);
  if (answer != Answer::verified) return Finding::refused;
  return know_user(context, credentials->user);
}

std::optional<identity::BasicCredentials> Authentication::find_credentials(
    const http::HeaderList& fields, identity::BasicText& text) {
  const auto value = authorization(fields);
  const auto encoded = value ? after_scheme(*value, "Basic") : std::nullopt;
  return encoded ? text.parse(*encoded) : std::nullopt;
}

Authentication::Finding Authentication::know_user(RequestContext& context, std::string_view user) {
  const auto space = context.scratch.space();
  if (user.size() > space.size()) {
    context.end_with({.status = 431, .text = "the header fields are too long"});
    return Finding::over;
  }
  std::ranges::copy(user, space.begin());
  context.scratch.use(user.size());
  context.user = {space.data(), user.size()};
  return Finding::passed;
}

// Slow by design, so on a thread of the pool; what is verified is remembered.
Task<Authentication::Finding> Authentication::hash_password(RequestContext& context) const {
  using Answer = identity::VerifiedCredentials::Answer;
  identity::BasicText text;
  const auto credentials = find_credentials(context.exchange.request().fields, text);
  if (!credentials) co_return Finding::absent;
  if (core_->passwords.look_up(rules_->users, *credentials) != Answer::needs_hash) {
    co_return Finding::refused;  // It was told at once, and was wrong.
  }
  auto fits = co_await rules_->pool->run<bool>(
      core_->loop,
      [rules = rules_, user = std::string(credentials->user),
       password = std::string(credentials->password)] {
        return rules->users.check({.user = user, .password = password});
      },
      Deadline::after(core_->loop.now(), hash_timeout));
  if (!fits) {
    core_->count(AuthMethod::basic, "failed");
    context.end_with({.status = 503,
                      .text = "too many passwords are being checked",
                      .fields = {{"retry-after", "1"}}});
    co_return Finding::over;
  }
  core_->count(AuthMethod::basic, *fits ? verified : refused);
  if (!*fits) co_return Finding::refused;
  core_->passwords.remember(*credentials);
  co_return know_user(context, credentials->user);
}

// One challenge for each way that the route takes (RFC 9110 section 11.6.1).
Verdict Authentication::refuse(RequestContext& context) const {
  LocalReply reply{.status = 401, .text = "the caller has to prove who it is"};
  if (context.token_fault) reply.text = describe(*context.token_fault);
  for (const AuthMethod method : context.route->callers.auth) {
    if (method == AuthMethod::external) continue;  // It would have answered itself.
    reply.fields.push_back({"www-authenticate", challenge(method, context)});
  }
  return context.end_with(std::move(reply));
}

std::string Authentication::challenge(AuthMethod method, const RequestContext& context) const {
  const identity::AuthConfig& config = rules_->config;
  if (method == AuthMethod::basic) {
    return fmt::format("Basic realm=\"{}\", charset=\"UTF-8\"", config.basic->realm);
  }
  if (method == AuthMethod::api_key) {
    return fmt::format("ApiKey header=\"{}\"", config.api_keys->header.text);
  }
  std::string text = fmt::format("Bearer realm=\"{}\"", config.jwt->realm);
  if (!context.token_fault) return text;  // RFC 6750 section 3.1: no code without a token.
  return text + fmt::format(", error=\"invalid_token\", error_description=\"{}\"",
                            describe(*context.token_fault));
}

}  // namespace spillway::gateway
