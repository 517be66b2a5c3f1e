// server/config.cc: reads the short forms of listeners and of the access log.
#include "server/config.h"

#include <fmt/format.h>

#include "base/ascii.h"

namespace spillway::server {
namespace {

constexpr std::string_view http_scheme = "http://";
constexpr std::string_view unix_scheme = "http+unix:";

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  constexpr std::string_view form =
      "expected http://0.0.0.0:8080, http://[::]:8080 or http+unix:/run/app.sock";
  if (text.starts_with("https:") || text.starts_with("https+unix:")) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\": https is not built into this version; {}", text, form));
  }
  if (text.starts_with(unix_scheme)) {
    const std::string_view path = text.substr(unix_scheme.size());
    if (!path.starts_with('/')) {
      return fail(
          Error::Code::invalid,
          fmt::format("\"{}\": the path of a UNIX socket begins with a slash; {}", text, form));
    }
    TRY(socket, SocketAddress::parse(fmt::format("unix:{}", path)));
    return ListenAddress{std::move(socket)};
  }
  if (!text.starts_with(http_scheme)) {
    return fail(Error::Code::invalid, fmt::format("\"{}\" is not a listener; {}", text, form));
  }
  std::string_view rest = text.substr(http_scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto socket = SocketAddress::parse(rest);
  if (!socket) socket = SocketAddress::parse(fmt::format("{}:80", rest));
  if (!socket || socket->is_unix()) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" has no IP address of this machine; {}", text, form));
  }
  return ListenAddress{*std::move(socket)};
}

std::string to_string(const ListenAddress& address) {
  if (address.socket.is_unix()) return fmt::format("{}{}", unix_scheme, address.socket.unix_path);
  return fmt::format("{}{}", http_scheme, to_string(address.socket));
}

Result<FileMode> FileMode::parse(std::string_view text) {
  uint32_t bits = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 8);
  const bool is_whole = error == std::errc{} && end == text.data() + text.size();
  if (!is_whole || text.size() < 3 || text.size() > 4 || bits > 0777) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not a file mode such as \"0660\"", text));
  }
  return FileMode{bits};
}

std::string to_string(FileMode mode) { return fmt::format("{:04o}", mode.bits); }

Result<ListenConfig> ListenConfig::parse(std::string_view text) {
  TRY(at, ListenAddress::parse(text));
  return ListenConfig{.at = std::move(at)};
}

Result<AccessLogConfig> AccessLogConfig::parse(std::string_view text) {
  if (text != "off" && text != "stdout" && !text.starts_with('/') && !text.starts_with("./")) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" is not off, stdout or the path of a file, such as "
                            "/var/log/access.log or ./access.log",
                            text));
  }
  return AccessLogConfig{.to = std::string(text)};
}

}  // namespace spillway::server
