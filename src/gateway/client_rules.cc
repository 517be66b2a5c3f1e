// gateway/client_rules.cc: what goes before what: allowed, denied, country.
#include "gateway/client_rules.h"

#include <algorithm>

namespace spillway::gateway {

Admission ClientRules::admit(const IpAddress& client, Instant now) const {
  if (allowed.contains(client, now)) return Admission::exempt;
  if (denied.contains(client, now)) return Admission::denied;
  return is_country_served(client) ? Admission::served : Admission::wrong_country;
}

bool ClientRules::is_country_served(const IpAddress& client) const {
  if (database == nullptr || countries.is_off()) return true;
  const auto country = database->country_of(client);
  if (!country) return countries.allow.empty();
  const auto has = [&country](const std::vector<CountryCode>& list) {
    return std::ranges::find(list, *country) != list.end();
  };
  return !has(countries.deny) && (countries.allow.empty() || has(countries.allow));
}

}  // namespace spillway::gateway
