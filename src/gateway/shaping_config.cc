// gateway/shaping_config.cc: which fields may be changed, and the short forms.
#include "gateway/shaping_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/token.h"

namespace spillway::gateway {
namespace {

// What belongs to one connection, frames a message, or is written by us in any case.
constexpr std::array<std::string_view, 13> fixed_fields = {"connection",
                                                           "content-length",
                                                           "date",
                                                           "host",
                                                           "keep-alive",
                                                           "te",
                                                           "proxy-connection",
                                                           "trailer",
                                                           "transfer-encoding",
                                                           "upgrade",
                                                           "via",
                                                           "x-forwarded-for",
                                                           "expect"};

// No real field's name is longer.
constexpr size_t name_max = 256;

}  // namespace

Result<ChangedField> ChangedField::parse(std::string_view text) {
  if (!is_token(text, name_max)) {
    return fail(Error::Code::invalid, fmt::format("\"{}\" is not a name of a header", text));
  }
  std::string name = lowered(text);
  if (std::ranges::find(fixed_fields, name) != fixed_fields.end()) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" cannot be changed: it belongs to the connection or is written "
                            "by spillway{}",
                            text, name == "host" ? "; `rewrite: { host: ... }` changes it" : ""));
  }
  return ChangedField{std::move(name)};
}

Result<RedirectConfig> RedirectConfig::parse(std::string_view text) {
  TRY(to, ValueTemplate::parse(text));
  return RedirectConfig{.to = std::move(to)};
}

Result<SecurityHeadersConfig> SecurityHeadersConfig::parse(std::string_view text) {
  if (text == "default") return SecurityHeadersConfig{};
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not known; expected default, off, or fields", text));
}

std::vector<std::pair<std::string_view, std::string>> SecurityHeadersConfig::fields() const {
  std::vector<std::pair<std::string_view, std::string>> sent = {
      {"x-content-type-options", content_type_options},
      {"x-frame-options", frame_options},
      {"referrer-policy", referrer_policy},
      {"cross-origin-opener-policy", cross_origin_opener_policy},
      {"cross-origin-resource-policy", cross_origin_resource_policy},
      {"permissions-policy", permissions_policy},
      {"content-security-policy", content_security_policy},
      {"content-security-policy-report-only", content_security_policy_report_only}};
  std::erase_if(sent, [](const auto& field) { return field.second.empty(); });
  return sent;
}

}  // namespace spillway::gateway
