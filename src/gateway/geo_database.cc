// gateway/geo_database.cc: a MaxMind DB (format specification 2.0) read by libmaxminddb.
#include "gateway/geo_database.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/file.h"
#include "runtime/file_handle.h"

namespace spillway::gateway {
namespace {

// The library opens files by name alone: this is one in memory that nobody else can change.
Result<runtime::FileHandle> file_in_memory(std::string_view bytes) {
  runtime::FileHandle file(::memfd_create("geo_database", MFD_CLOEXEC));
  if (!file) return fail(system_error(errno, "create a file in memory"));
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.fd(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(system_error(errno, "write a file in memory"));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return file;
}

std::optional<CountryCode> country_in(MMDB_entry_s& entry, const char* member) {
  const char* const path[] = {member, "iso_code", nullptr};
  MMDB_entry_data_s data;
  if (MMDB_aget_value(&entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
      data.type != MMDB_DATA_TYPE_UTF8_STRING) {
    return std::nullopt;
  }
  const auto code = CountryCode::parse({data.utf8_string, data.data_size});
  return code ? std::optional(*code) : std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const GeoDatabase>> GeoDatabase::open(const std::string& path) {
  TRY(bytes, runtime::read_file_blocking(path, bytes_max));
  return from_bytes(bytes, path);
}

Result<std::shared_ptr<const GeoDatabase>> GeoDatabase::from_bytes(std::string_view bytes,
                                                                   const std::string& name) {
  const auto damaged = [&name](std::string_view why) {
    return fail(Error::Code::invalid,
                fmt::format("{} is not a whole MaxMind DB file: {}; expected one such as "
                            "GeoLite2-Country.mmdb",
                            name, why));
  };
  if (bytes.empty()) return damaged("it is empty");
  TRY(file, file_in_memory(bytes));
  MMDB_s database;
  const int status =
      MMDB_open(fmt::format("/proc/self/fd/{}", file.fd()).c_str(), MMDB_MODE_MMAP, &database);
  if (status != MMDB_SUCCESS) return damaged(MMDB_strerror(status));
  return std::shared_ptr<const GeoDatabase>(new GeoDatabase(database));
}

std::optional<CountryCode> GeoDatabase::country_of(const IpAddress& address) const {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    sockaddr_in v4{.sin_family = AF_INET};
    std::memcpy(&v4.sin_addr, address.bytes().data() + 12, 4);
    std::memcpy(&storage, &v4, sizeof v4);
  } else {
    sockaddr_in6 v6{.sin6_family = AF_INET6};
    std::memcpy(&v6.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&storage, &v6, sizeof v6);
  }
  int status = MMDB_SUCCESS;
  MMDB_lookup_result_s found =
      MMDB_lookup_sockaddr(&database_, reinterpret_cast<const sockaddr*>(&storage), &status);
  if (status != MMDB_SUCCESS || !found.found_entry) return std::nullopt;
  if (const auto country = country_in(found.entry, "country")) return country;
  return country_in(found.entry, "registered_country");
}

}  // namespace spillway::gateway
