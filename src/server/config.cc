// server/config.cc: reads the short forms of listeners and of the access log.
#include "server/config.h"

#include <fmt/format.h>

#include <charconv>

#include "base/ascii.h"

namespace spillway::server {
namespace {

constexpr std::string_view http_scheme = "http://";
constexpr std::string_view https_scheme = "https://";
constexpr std::string_view unix_scheme = "http+unix:";

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  constexpr std::string_view form =
      "expected http://0.0.0.0:8080, https://[::]:8443 or http+unix:/run/app.sock";
  if (text.starts_with(unix_scheme)) {
    const std::string_view path = text.substr(unix_scheme.size());
    if (!path.starts_with('/')) {
      return fail(
          Error::Code::invalid,
          fmt::format("\"{}\": the path of a UNIX socket begins with a slash; {}", text, form));
    }
    TRY(socket, SocketAddress::parse(fmt::format("unix:{}", path)));
    return ListenAddress{.socket = std::move(socket)};
  }
  const bool is_secure = text.starts_with(https_scheme);
  if (!is_secure && !text.starts_with(http_scheme)) {
    return fail(Error::Code::invalid, fmt::format("\"{}\" is not a listener; {}", text, form));
  }
  std::string_view rest = text.substr(is_secure ? https_scheme.size() : http_scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto socket = SocketAddress::parse(rest);
  if (!socket) socket = SocketAddress::parse(fmt::format("{}:{}", rest, is_secure ? 443 : 80));
  if (!socket || socket->is_unix()) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\" has no IP address of this machine; {}", text, form));
  }
  return ListenAddress{.socket = *std::move(socket), .is_secure = is_secure};
}

std::string to_string(const ListenAddress& address) {
  if (address.socket.is_unix()) return fmt::format("{}{}", unix_scheme, address.socket.unix_path);
  return fmt::format("{}{}", address.is_secure ? https_scheme : http_scheme,
                     to_string(address.socket));
}

Result<HttpsRedirect> HttpsRedirect::parse(std::string_view text) {
  if (text == "https") return HttpsRedirect{};
  uint16_t port = 0;
  if (text.starts_with("https:")) {
    const std::string_view digits = text.substr(6);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    const bool is_whole = error == std::errc{} && end == digits.data() + digits.size();
    if (is_whole && port > 0) return HttpsRedirect{.port = port};
  }
  return fail(Error::Code::invalid,
              fmt::format("\"{}\" is not a redirect; expected https or https:443", text));
}

std::string to_string(const HttpsRedirect& redirect) {
  return redirect.port ? fmt::format("https:{}", *redirect.port) : "https";
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
