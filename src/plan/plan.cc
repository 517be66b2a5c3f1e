// plan/plan.cc: the plan's defaults, endpoints, and plans that need no file.
#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/check.h"

namespace spillway::plan {
namespace {

constexpr std::string_view endpoint_form =
    "expected an address such as 10.0.0.1:4010, [::1]:4010, app.internal:4010 or "
    "unix:/run/app.sock";
constexpr size_t host_name_max = 253;  // RFC 1035 section 2.3.4, without the root's dot.

// Letters, digits, hyphens, underscores and dots, with at least one letter, so that a mistyped
// address such as 10.0.0.256 is never looked up as a name.
bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > host_name_max) return false;
  if (name.front() == '.' || name.front() == '-') return false;
  const bool is_clean = std::ranges::all_of(
      name, [](char c) { return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.'; });
  return is_clean && name.find("..") == std::string_view::npos &&
         std::ranges::any_of(name, is_alpha);
}

server::ListenAddress loopback(uint16_t port) {
  return {.socket = {.ip = IpAddress::from_v4(0x7f000001), .port = port}};
}

Plan with_one_service(std::string name, Service service) {
  Plan plan;
  plan.routes.push_back({.service = name});
  plan.services.emplace(std::move(name), std::move(service));
  return plan;
}

}  // namespace

Result<EndpointAddress> EndpointAddress::parse(std::string_view text) {
  if (text.starts_with("https://")) {
    return fail(Error::Code::invalid,
                fmt::format("\"{}\": expected an address without https://; write `tls: default` "
                            "into the service",
                            text));
  }
  if (auto socket = SocketAddress::parse(text)) {
    if (socket->is_unix() || socket->port != 0) return EndpointAddress{.socket = *socket};
  }
  const size_t colon = text.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : parse_decimal<uint16_t>(text.substr(colon + 1));
  if (!port || *port == 0 || !is_host_name(text.substr(0, colon))) {
    return fail(Error::Code::invalid, fmt::format("\"{}\": {}", text, endpoint_form));
  }
  return EndpointAddress{.name = lowered(text.substr(0, colon)), .socket = {.port = *port}};
}

std::string to_string(const EndpointAddress& address) {
  if (address.name.empty()) return to_string(address.socket);
  return fmt::format("{}:{}", address.name, address.socket.port);
}

Result<EndpointConfig> EndpointConfig::parse(std::string_view text) {
  TRY(address, EndpointAddress::parse(text));
  return EndpointConfig{.address = std::move(address)};
}

Plan::Plan() : listen{{.at = loopback(8080)}}, admin(loopback(9901)) {}

gateway::GatewayConfig Plan::gateway() const {
  gateway::GatewayConfig config{.routes = routes,
                                .clients = clients,
                                .parameters_max = request.parameters,
                                .limits = limits,
                                .request_headers = request_headers,
                                .response_headers = response_headers,
                                .cors = cors,
                                .security_headers = security_headers,
                                .compress = compress,
                                .cache = cache,
                                .maintenance = maintenance,
                                .folder = folder,
                                .redis = redis,
                                .name = name};
  config.verifies_clients = tls.clients.has_value();
  config.identifies_callers = auth.is_used();
  if (tls.hsts) config.hsts = tls.hsts->value();
  return config;
}

Result<Plan> from_command(std::vector<std::string> command) {
  if (command.empty() || command.front().empty()) {
    return fail(Error::Code::invalid,
                "no command was given; expected one such as: spillway up -- node server.js");
  }
  Service service;
  service.process.run = std::move(command);
  return with_one_service("web", std::move(service));
}

Result<Plan> to_address(std::string_view address) {
  constexpr std::string_view scheme = "http://";
  if (address.starts_with(scheme)) {
    address.remove_prefix(scheme.size());
    if (address.ends_with('/')) address.remove_suffix(1);
  }
  const bool is_port = !address.empty() && std::ranges::all_of(address, is_digit);
  const std::string whole = is_port ? fmt::format("127.0.0.1:{}", address) : std::string(address);
  TRY(endpoint, EndpointConfig::parse(whole));
  Service service;
  service.endpoints.push_back(std::move(endpoint));
  return with_one_service("web", std::move(service));
}

}  // namespace spillway::plan
