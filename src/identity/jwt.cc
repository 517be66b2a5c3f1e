// identity/jwt.cc: the claims that RFC 7519 section 4.1 registers.
#include "identity/jwt.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"

namespace spillway::identity {
namespace {

using Kind = JsonValue::Kind;
using Checked = std::expected<void, TokenFault>;

Checked refuse(TokenFault fault) { return std::unexpected(fault); }

bool holds(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

// Media types are compared without "application/" and without case (RFC 7515 section 4.1.9).
bool holds_type(const std::vector<std::string>& types, std::string_view type) {
  constexpr std::string_view prefix = "application/";
  if (type.size() > prefix.size() && equals_ignoring_case(type.substr(0, prefix.size()), prefix)) {
    type.remove_prefix(prefix.size());
  }
  return std::ranges::any_of(
      types, [type](const std::string& one) { return equals_ignoring_case(one, type); });
}

}  // namespace

// RFC 7519 sections 4.1.4 to 4.1.6. The leeway is taken from `now`, for a claim may lie at the end
// of the calendar.
Checked JwtVerifier::check_times(const JwtPolicy& policy, WallTime now) const {
  const std::array names = {"exp", "nbf", "iat"};
  std::array<std::optional<WallTime>, names.size()> times;
  for (size_t i = 0; i < names.size(); ++i) {
    const JsonValue* value = claims_.find(names[i]);
    if (value == nullptr) continue;
    times[i] = parse_numeric_date(*value);
    if (!times[i]) return refuse(TokenFault::bad_claims);
  }
  const auto& [expires, begins, issued] = times;
  if (expires && now - policy.leeway >= *expires) return refuse(TokenFault::expired);
  if (begins && now + policy.leeway < *begins) return refuse(TokenFault::not_yet_valid);
  if (issued && now + policy.leeway < *issued) return refuse(TokenFault::issued_in_future);
  return {};
}

// RFC 7519 sections 4.1.1 to 4.1.3. A claim of the wrong type is refused though nobody asks for it.
Checked JwtVerifier::check_parties(const JwtPolicy& policy) {
  const JsonValue* issuer = claims_.find("iss");
  const JsonValue* subject = claims_.find("sub");
  const JsonValue* audience = claims_.find("aud");
  for (const JsonValue* value : {issuer, subject}) {
    if (value != nullptr && !value->is_string()) return refuse(TokenFault::bad_claims);
  }
  if (!policy.issuers.empty() && (issuer == nullptr || !holds(policy.issuers, issuer->text))) {
    return refuse(TokenFault::wrong_issuer);
  }
  bool is_for_us = policy.audiences.empty();
  if (audience != nullptr && audience->kind == Kind::array) {
    if (!audiences_.read(audience->text, opener_.space())) return refuse(TokenFault::bad_claims);
    for (const JsonValue& item : audiences_.items()) {
      if (!item.is_string()) return refuse(TokenFault::bad_claims);
      is_for_us = is_for_us || holds(policy.audiences, item.text);
    }
  } else if (audience != nullptr) {
    if (!audience->is_string()) return refuse(TokenFault::bad_claims);
    is_for_us = is_for_us || holds(policy.audiences, audience->text);
  }
  return is_for_us ? Checked() : refuse(TokenFault::wrong_audience);
}

std::expected<Claims, TokenFault> JwtVerifier::verify(std::string_view token, const KeySet& keys,
                                                      const JwtPolicy& policy, WallTime now) {
  const auto payload = opener_.open(token, keys, policy.algorithms);
  if (!payload) return std::unexpected(payload.error());
  if (!policy.types.empty() && !holds_type(policy.types, opener_.type())) {
    return std::unexpected(TokenFault::wrong_type);
  }
  if (!claims_.read(*payload, claims_space_)) return std::unexpected(TokenFault::bad_claims);
  if (const auto times = check_times(policy, now); !times) return std::unexpected(times.error());
  for (const std::string& name : policy.required) {
    if (!Claims(claims_).find(name)) return std::unexpected(TokenFault::missing_claim);
  }
  if (const auto parties = check_parties(policy); !parties) {
    return std::unexpected(parties.error());
  }
  return Claims(claims_);
}

}  // namespace spillway::identity
