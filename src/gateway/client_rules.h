// gateway/client_rules.h: whether a client is served, by its address.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/address_set.h"
#include "gateway/client_config.h"
#include "gateway/geo_database.h"

namespace spillway::gateway {

enum class Admission : uint8_t {
  served,
  exempt,         // Served, and no limit holds for it.
  denied,         // Its address is.
  wrong_country,  // Its country is denied, or not one of those allowed.
};

// The plan's lists and those edited while running. Immutable, any core: an edit is one exchange.
struct ClientRules {
  AddressSet allowed;
  AddressSet denied;
  CountriesConfig countries;
  std::shared_ptr<const GeoDatabase> database;  // Null: countries are not looked at.

  Admission admit(const IpAddress& client, Instant now) const;

 private:
  bool is_country_served(const IpAddress& client) const;
};

}  // namespace spillway::gateway
