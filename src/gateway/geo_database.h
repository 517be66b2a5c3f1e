// gateway/geo_database.h: which country an address belongs to, by a MaxMind DB file.
#pragma once

#include <maxminddb.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/error.h"
#include "gateway/client_config.h"

namespace spillway::gateway {

// Immutable, any core; looking up allocates nothing. Keeps a copy of the file in memory, so that
// whoever writes or truncates the file later disturbs nobody.
class GeoDatabase {
 public:
  // The largest public file, with cities, is a quarter of it.
  static constexpr size_t bytes_max = size_t{256} << 20;

  // Blocks. Errors: not_found, permission, limit_exceeded, io; invalid, it is damaged or of
  // another kind.
  static Result<std::shared_ptr<const GeoDatabase>> open(const std::string& path);
  // `name` is for messages.
  static Result<std::shared_ptr<const GeoDatabase>> from_bytes(std::string_view bytes,
                                                               const std::string& name);
  GeoDatabase(const GeoDatabase&) = delete;
  GeoDatabase& operator=(const GeoDatabase&) = delete;
  ~GeoDatabase() { MMDB_close(&database_); }

  // Where it is, or else where it is registered; nothing for an address that the file does not
  // know, or whose record is damaged.
  std::optional<CountryCode> country_of(const IpAddress& address) const;

 private:
  explicit GeoDatabase(const MMDB_s& database) : database_(database) {}

  mutable MMDB_s database_;  // The library only reads it, but takes no const.
};

}  // namespace spillway::gateway
