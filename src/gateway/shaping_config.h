// gateway/shaping_config.h: how requests and answers are changed on their way through.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "base/time.h"
#include "gateway/template_config.h"

namespace spillway::gateway {

// The name of a header field that a plan may change: a token (RFC 9110 section 5.1), in small
// letters, and none that belongs to one connection or frames a message.
struct ChangedField {
  std::string name;

  static Result<ChangedField> parse(std::string_view text);
  bool operator==(const ChangedField&) const = default;
};
inline const std::string& to_string(const ChangedField& field) { return field.name; }

// Changes of one header section: what is removed goes first, then what is set, then what is added.
struct HeaderRules {
  std::vector<ChangedField> remove;
  std::map<std::string, ValueTemplate> set;
  std::map<std::string, ValueTemplate> add;

  bool is_empty() const { return remove.empty() && set.empty() && add.empty(); }
  bool operator==(const HeaderRules&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("remove", &HeaderRules::remove,
                {.doc = "Fields that are taken out.", .example = "[x-powered-by]"});
    visit.field("set", &HeaderRules::set,
                {.doc = "Fields and their values, instead of what was there. {client_ip}, {host}, "
                        "{path}, {query}, {request_id}, {route}, {scheme} and {user} are filled "
                        "in.",
                 .example = "{ x-real-user: \"{user}\" }"});
    visit.field("add", &HeaderRules::add,
                {.doc = "The same, beside what was there.", .example = "{ link: \"</a>\" }"});
  }
};

// Instead of a service: the client is sent elsewhere. The short form is `to` alone.
struct RedirectConfig {
  ValueTemplate to;
  uint32_t status = 308;

  static Result<RedirectConfig> parse(std::string_view text);
  bool operator==(const RedirectConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("to", &RedirectConfig::to,
                {.doc = "Where: a URL, or a path. {path} and {query} (with its ?) are the "
                        "request's; {host} is the client's, without its port.",
                 .required = true,
                 .example = "\"https://shop.example{path}{query}\""});
    visit.field("status", &RedirectConfig::status,
                {.doc = "301 and 308 last, 302 and 307 do not; 307 and 308 keep the method "
                        "(RFC 9110 section 15.4).",
                 .minimum = 301,
                 .maximum = 308});
  }
};

// What a service is asked for, where it is not what the client asked for.
struct RewriteConfig {
  std::optional<std::string> strip_prefix;
  std::optional<std::string> add_prefix;
  std::optional<std::string> path;
  std::optional<std::string> host;

  bool operator==(const RewriteConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("strip_prefix", &RewriteConfig::strip_prefix,
                {.doc = "Taken off the path; the service is told of it in X-Forwarded-Prefix.",
                 .example = "/api"});
    visit.field("add_prefix", &RewriteConfig::add_prefix,
                {.doc = "Put before the path.", .example = "/v2"});
    visit.field("path", &RewriteConfig::path,
                {.doc = "Instead of the whole path.", .example = "/index.html"});
    visit.field("host", &RewriteConfig::host,
                {.doc = "The Host that the service sees; the client's stays in X-Forwarded-Host.",
                 .example = "internal.example"});
  }
};

// Which pages of other origins may use this one (Fetch Standard, "HTTP-CORS protocol").
struct CorsConfig {
  std::vector<std::string> origins;
  std::vector<std::string> methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
  std::vector<std::string> headers;
  std::vector<std::string> expose;
  bool credentials = false;
  Duration max_age = 10min;

  bool operator==(const CorsConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit);
};

// Fields that tell browsers to be careful. Where a service sends one itself, its word stays.
struct SecurityHeadersConfig {
  std::string content_type_options = "nosniff";
  std::string frame_options = "SAMEORIGIN";
  std::string referrer_policy = "strict-origin-when-cross-origin";
  std::string cross_origin_opener_policy;
  std::string cross_origin_resource_policy;
  std::string permissions_policy;
  std::string content_security_policy;
  std::string content_security_policy_report_only;

  // "default".
  static Result<SecurityHeadersConfig> parse(std::string_view text);
  // The names and values that are sent.
  std::vector<std::pair<std::string_view, std::string>> fields() const;
  bool operator==(const SecurityHeadersConfig&) const = default;

  template <class Visitor>
  static void describe(Visitor& visit);
};

template <class Visitor>
void CorsConfig::describe(Visitor& visit) {
  visit.field("origins", &CorsConfig::origins,
              {.doc = "\"https://app.example\", \"https://*.example.com\" for all names below, or "
                      "\"*\" for everybody.",
               .required = true,
               .example = "[\"https://app.example\"]"});
  visit.field("methods", &CorsConfig::methods, {.doc = "Methods that they may use."});
  visit.field("headers", &CorsConfig::headers,
              {.doc = "Request headers that they may set. Those that are asked for, if absent.",
               .example = "[content-type, authorization]"});
  visit.field("expose", &CorsConfig::expose,
              {.doc = "Headers of answers that they may read.", .example = "[x-total-count]"});
  visit.field("credentials", &CorsConfig::credentials,
              {.doc = "Whether cookies and sign-in go along; not with the origin \"*\"."});
  visit.field("max_age", &CorsConfig::max_age,
              {.doc = "How long a browser remembers the answer to its question.",
               .maximum = 86'400,
               .unit = "s"});
}

template <class Visitor>
void SecurityHeadersConfig::describe(Visitor& visit) {
  using Self = SecurityHeadersConfig;
  visit.field("content_type_options", &Self::content_type_options,
              {.doc = "X-Content-Type-Options. Empty: not sent; so for all of these."});
  visit.field("frame_options", &Self::frame_options, {.doc = "X-Frame-Options."});
  visit.field("referrer_policy", &Self::referrer_policy, {.doc = "Referrer-Policy."});
  visit.field("cross_origin_opener_policy", &Self::cross_origin_opener_policy,
              {.doc = "Cross-Origin-Opener-Policy.", .example = "same-origin"});
  visit.field("cross_origin_resource_policy", &Self::cross_origin_resource_policy,
              {.doc = "Cross-Origin-Resource-Policy.", .example = "same-site"});
  visit.field("permissions_policy", &Self::permissions_policy,
              {.doc = "Permissions-Policy.", .example = "\"camera=(), microphone=()\""});
  visit.field("content_security_policy", &Self::content_security_policy,
              {.doc = "Content-Security-Policy.", .example = "\"default-src 'self'\""});
  visit.field("content_security_policy_report_only", &Self::content_security_policy_report_only,
              {.doc = "Content-Security-Policy-Report-Only."});
}

}  // namespace spillway::gateway
