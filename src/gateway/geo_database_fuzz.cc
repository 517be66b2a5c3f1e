// gateway/geo_database_fuzz.cc: any bytes as a MaxMind DB, and any addresses looked up in it.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "gateway/geo_database.h"

// The last 32 bytes are two addresses; what is before them is the file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using spillway::IpAddress;
  constexpr size_t addresses_size = 32;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto database = spillway::gateway::GeoDatabase::from_bytes(bytes, "fuzzed");
  if (!database) return 0;
  const auto look_up = [&database](const IpAddress& address) {
    const auto country = (*database)->country_of(address);
    if (!country) return;
    CHECK(spillway::gateway::CountryCode::parse(country->text()).has_value());
  };
  look_up(IpAddress::from_v4(0));
  look_up(IpAddress::from_v4(0xCB007101));  // 203.0.113.1
  if (size < addresses_size) return 0;
  for (size_t i = 0; i < 2; ++i) {
    std::array<uint8_t, 16> address{};
    std::memcpy(address.data(), data + size - addresses_size + 16 * i, address.size());
    look_up(IpAddress::from_v6(address));
    uint32_t v4 = 0;
    std::memcpy(&v4, address.data(), sizeof v4);
    look_up(IpAddress::from_v4(v4));
  }
  return 0;
}
