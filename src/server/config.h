// server/config.h: where the program listens, how much it takes on, and how it ends.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/time.h"
#include "server/tls_config.h"

namespace spillway::server {

// Where to listen and what is spoken there. Immutable value.
struct ListenAddress {
  SocketAddress socket;
  bool is_secure = false;  // TLS, by `https`.

  // "http://0.0.0.0:8080", "https://[::]:8443" (both IPv4 and IPv6), "http+unix:/run/app.sock".
  // Port 80 or 443 if none is written; port 0 lets the system choose.
  static Result<ListenAddress> parse(std::string_view text);
  auto operator<=>(const ListenAddress&) const = default;
};
std::string to_string(const ListenAddress& address);

// The permissions of a UNIX socket's file, written as chmod takes them: "0660".
struct FileMode {
  uint32_t bits = 0;

  static Result<FileMode> parse(std::string_view text);
  bool operator==(const FileMode&) const = default;
};
std::string to_string(FileMode mode);

// Where a listener without TLS sends its clients: "https", or "https:443" where they see another
// port than the plan does.
struct HttpsRedirect {
  std::optional<uint16_t> port;  // Absent: that of the first https listener.

  static Result<HttpsRedirect> parse(std::string_view text);
  bool operator==(const HttpsRedirect&) const = default;
};
std::string to_string(const HttpsRedirect& redirect);

// One listening socket. The short form is its address alone.
struct ListenConfig {
  ListenAddress at;
  std::optional<HttpsRedirect> redirect;
  std::vector<IpPrefix> proxy_protocol;
  std::optional<FileMode> mode;

  static Result<ListenConfig> parse(std::string_view text);

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("at", &ListenConfig::at,
                {.doc = "http://ADDRESS:PORT, https://ADDRESS:PORT or http+unix:/PATH. [::] takes "
                        "IPv4 too.",
                 .restart = true,
                 .required = true,
                 .example = "http://0.0.0.0:8080"});
    visit.field("redirect", &ListenConfig::redirect,
                {.doc = "https: every request is answered 308 with its address under https, but "
                        "for those below /.well-known/acme-challenge/ (RFC 8555 section 8.3). "
                        "https:PORT if clients see another port than the https listener's.",
                 .restart = true,
                 .example = "https"});
    visit.field("proxy_protocol", &ListenConfig::proxy_protocol,
                {.doc = "From these addresses a PROXY protocol header (version 1 or 2) is required "
                        "and believed; from others it is a bad request.",
                 .example = "[10.0.0.0/8]"});
    visit.field("mode", &ListenConfig::mode,
                {.doc = "Permissions of the UNIX socket's file. As the umask says if absent.",
                 .restart = true,
                 .example = "\"0660\""});
  }
};

enum class AccessLogFormat : uint8_t { json };
constexpr std::array<std::string_view, 1> enum_names(AccessLogFormat) { return {"json"}; }

// One line per answered request, written off the hot path.
struct AccessLogConfig {
  std::string to = "stdout";
  AccessLogFormat format = AccessLogFormat::json;

  static Result<AccessLogConfig> parse(std::string_view text);  // "off", or `to` alone.
  bool is_off() const { return to == "off"; }
  bool is_stdout() const { return to == "stdout"; }

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("to", &AccessLogConfig::to,
                {.doc = "stdout, off, or the path of a file, which is opened again on USR1; a "
                        "relative one begins at the plan file's folder.",
                 .example = "/var/log/spillway/access.log"});
    visit.field("format", &AccessLogConfig::format, {.doc = "How a line is written."});
  }
};

// How a graceful stop, a reload's old workers and an upgrade's old process end.
struct ShutdownConfig {
  Duration drain = 30s;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("drain", &ShutdownConfig::drain,
                {.doc = "How long requests and upgraded connections may go on after a stop or an "
                        "upgrade began; what is left is then cut.",
                 .maximum = 86'400,
                 .unit = "s",
                 .raising = "A stop takes longer if a client holds on."});
  }
};

// What the whole process may use.
struct ResourcesConfig {
  uint32_t connections = 20'000;
  std::optional<uint32_t> descriptors;

  template <class Visitor>
  static void describe(Visitor& visit) {
    visit.field("connections", &ResourcesConfig::connections,
                {.doc = "The most client connections at once, over all workers; a further one is "
                        "answered 503 with Retry-After and closed.",
                 .minimum = 16,
                 .maximum = 1'000'000,
                 .raising = "One descriptor and up to 10 kB for each."});
    visit.field("descriptors", &ResourcesConfig::descriptors,
                {.doc = "The limit of open files that is asked of the system at the start. If "
                        "absent, what `connections` needs. If less is granted, fewer connections "
                        "are taken, and a warning says so.",
                 .minimum = 256,
                 .maximum = 4'000'000,
                 .restart = true});
  }
};

}  // namespace spillway::server
