// plan/validate.cc: checks across fields: names that dangle, listeners that collide, dead routes.
#include "plan/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/token.h"
#include "plan/names.h"
#include "plan/validate_auth.h"
#include "plan/validate_redis.h"
#include "plan/validate_shaping.h"

namespace spillway::plan {
namespace {

// Service names become metric labels, log prefixes and words of commands.
bool is_service_name(std::string_view name) {
  constexpr size_t name_max = 63;
  if (name.empty() || name.size() > name_max || name.front() == '-') return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_'; });
}

// Whether binding both sockets fails: the same, or one is every address of the other's port. The
// unspecified IPv6 address takes IPv4 too.
bool collide(const SocketAddress& a, const SocketAddress& b) {
  if (a.is_unix() || b.is_unix()) return a.unix_path == b.unix_path;
  if (a.port != b.port || a.port == 0) return false;
  const auto covers = [](const IpAddress& wide, const IpAddress& other) {
    return wide == IpAddress() || (wide.is_unspecified() && other.is_v4());
  };
  return a.ip == b.ip || covers(a.ip, b.ip) || covers(b.ip, a.ip);
}

template <class Conditions>
bool is_subset(const Conditions& few, const Conditions& many) {
  return std::ranges::all_of(few, [&many](const auto& condition) {
    return std::ranges::find(many, condition) != many.end();
  });
}

// Whether every request that `later` would take meets `earlier` first.
bool shadows(const gateway::RouteConfig& earlier, const gateway::RouteConfig& later) {
  if (earlier.host != later.host || !earlier.path.covers(later.path)) return false;
  const bool takes_all_methods = earlier.methods.empty();
  const bool takes_its_methods =
      !later.methods.empty() && is_subset(later.methods, earlier.methods);
  return (takes_all_methods || takes_its_methods) && is_subset(earlier.headers, later.headers) &&
         is_subset(earlier.query, later.query);
}

// One pass over a bound plan. Used once.
class Checker {
 public:
  Checker(Plan& plan, const Origins& origins) : plan_(plan), origins_(origins) {}

  Findings check() {
    check_listeners();
    check_limits();
    check_countries();
    check_services_are_there();
    for (const auto& [name, service] : plan_.services) check_service(name, service);
    fill_in_routes();
    check_headers(plan_.request_headers, "request_headers", complain());
    check_headers(plan_.response_headers, "response_headers", complain());
    if (plan_.cors) check_cors(*plan_.cors, "cors", complain());
    if (plan_.security_headers) {
      check_security_headers(*plan_.security_headers, "security_headers", complain());
    }
    if (plan_.compress) check_compress(*plan_.compress, "compress", complain());
    check_error_pages(plan_.error_pages, "error_pages", complain());
    for (size_t i = 0; i < plan_.routes.size(); ++i) check_route(i);
    check_unused_services();
    check_auth(plan_, origins_, findings_);
    check_redis(plan_, origins_, complain());
    return std::move(findings_);
  }

 private:
  void error(const std::string& path, std::string message) {
    findings_.errors.push_back({origins_.place(path), path, std::move(message)});
  }
  Complain complain() {
    return
        [this](const std::string& path, std::string message) { error(path, std::move(message)); };
  }
  void warn(const std::string& path, std::string message) {
    findings_.warnings.push_back({origins_.place(path), path, std::move(message)});
  }

  void check_listeners();
  void check_security(const std::string& path, const server::ListenConfig& listener);
  void check_certificates();
  void check_limits();
  void check_countries();
  void check_services_are_there();
  void check_service(const std::string& name, const Service& service);
  void check_process(const std::string& path, const deploy::ProcessConfig& process);
  void check_endpoints(const std::string& path, const Service& service);
  void check_path_of_probe(const std::string& path, std::string_view asked);
  void check_health(const std::string& path, const upstream::HealthConfig& health);
  void check_cluster(const std::string& path, const upstream::ClusterConfig& cluster);
  void check_upstream_tls(const std::string& path, const upstream::ClusterConfig& cluster);
  void fill_in_routes();
  bool needs_service(const std::string& path, const gateway::RouteConfig& route) const;
  void check_route(size_t index);
  void check_limits_of(const std::string& path, const gateway::RouteConfig& route);
  void check_target(const std::string& path, gateway::RouteConfig& route);
  // `service` stands at `place`, in the route at `path`.
  void check_service_of(const std::string& path, std::string& service, const std::string& place);
  void check_unused_services();

  Plan& plan_;
  const Origins& origins_;
  Findings findings_;
};

void Checker::check_listeners() {
  if (plan_.listen.empty()) error("listen", "is empty; expected at least one listener");
  for (size_t i = 0; i < plan_.listen.size(); ++i) {
    const server::ListenConfig& listener = plan_.listen[i];
    const std::string path = item_path("listen", i);
    if (listener.mode && !listener.at.socket.is_unix()) {
      error(path + ".mode", "is for UNIX sockets only; this listener has a port");
    }
    check_security(path, listener);
    if (!listener.proxy_protocol.empty() && listener.at.socket.is_unix()) {
      error(path + ".proxy_protocol",
            "needs peers with IP addresses; this listener is a UNIX socket");
    }
    for (size_t j = 0; j < i; ++j) {
      if (!collide(plan_.listen[j].at.socket, listener.at.socket)) continue;
      error(path, fmt::format("cannot listen at {}, because listen[{}] takes it",
                              to_string(listener.at), j));
    }
    if (collide(plan_.admin.socket, listener.at.socket)) {
      error(path,
            fmt::format("cannot listen at {}, because `admin` takes it", to_string(listener.at)));
    }
  }
  check_certificates();
  if (plan_.admin.is_secure)
    error("admin", "is for this machine alone and speaks no TLS; expected http");
  if (!plan_.admin.socket.is_unix() && !plan_.admin.socket.ip.is_loopback()) {
    error("admin", fmt::format("{} is not a loopback address; expected one such as "
                               "http://127.0.0.1:9901, or http+unix:/PATH",
                               origins_.shown("admin", to_string(plan_.admin))));
  }
}

void Checker::check_security(const std::string& path, const server::ListenConfig& listener) {
  if (listener.at.is_secure && listener.redirect) {
    error(path + ".redirect", "is for listeners without TLS; this one is https already");
  }
  if (listener.at.is_secure && plan_.tls.certificates.empty() &&
      !origins_.has("tls.certificates")) {
    error(path, "is https, but `tls` has no `certificates: [{ cert: shop.pem, key: shop.key }]`");
  }
  const bool has_https =
      std::ranges::any_of(plan_.listen, [](const auto& other) { return other.at.is_secure; });
  if (listener.redirect && !listener.redirect->port && !has_https) {
    error(path + ".redirect",
          "leads nowhere: no listener is https; where something else is, "
          "write https:PORT");
  }
}

void Checker::check_certificates() {
  const auto& certificates = plan_.tls.certificates;
  if (origins_.has("tls.certificates") && certificates.empty()) {
    error("tls.certificates", "is empty; expected at least one certificate");
  }
  const bool has_https =
      std::ranges::any_of(plan_.listen, [](const auto& other) { return other.at.is_secure; });
  if (!has_https && !certificates.empty()) {
    warn("tls.certificates", "are not used: no listener is https");
  }
  if (plan_.tls.groups.empty()) error("tls.groups", "is empty; expected at least one group");
  const auto& hsts = plan_.tls.hsts;
  if (hsts && hsts->preload && (!hsts->subdomains || hsts->max_age < std::chrono::years(1))) {
    error("tls.hsts.preload", "needs `subdomains: true` and a `max_age` of at least a year");
  }
}

void Checker::check_limits() {
  if (plan_.request.url > plan_.request.head) {
    error("request.url", fmt::format("is more than request.head, {}, which holds it",
                                     spillway::to_string(plan_.request.head)));
  }
  if (plan_.access_log.to.empty())
    error("access_log.to", "is empty; expected stdout, off or a path");
  for (const auto& [name, limit] : plan_.limits) {
    // It stands in quotes in header fields and is a label of metrics.
    if (is_service_name(name)) continue;
    error(child_path("limits", name),
          fmt::format("{} is not a name of a limit; expected small letters, digits, - and _, at "
                      "most 63",
                      in_quotes(name)));
  }
  if (plan_.name.empty()) error("name", "is empty");
  const auto& [connections, descriptors] = plan_.resources;
  if (descriptors && *descriptors < connections) {
    warn("resources.descriptors",
         fmt::format("{} open files are not enough for {} connections; fewer will be taken",
                     *descriptors, connections));
  }
}

void Checker::check_countries() {
  const gateway::CountriesConfig& countries = plan_.clients.countries;
  const std::string path = "clients.countries";
  if (!countries.is_off() && !countries.file && !origins_.has(path + ".file")) {
    error(path,
          "names countries, but no `file: GeoLite2-Country.mmdb` tells whose client is where");
  }
  if (countries.is_off() && countries.file) {
    warn(path + ".file", "is not used: neither `allow` nor `deny` names a country");
  }
  for (size_t i = 0; i < countries.deny.size(); ++i) {
    if (std::ranges::find(countries.allow, countries.deny[i]) == countries.allow.end()) continue;
    error(item_path(path + ".deny", i),
          fmt::format("{} is in `allow`, too", to_string(countries.deny[i])));
  }
}

void Checker::check_service(const std::string& name, const Service& service) {
  const std::string path = child_path("services", name);
  if (!is_service_name(name)) {
    error(path, fmt::format("{} is not a name of a service; expected small letters, digits, - and "
                            "_, at most 63",
                            in_quotes(name)));
  }
  const bool has_run = origins_.has(path + ".run") || service.is_supervised();
  const bool has_endpoints = origins_.has(path + ".endpoints") || !service.endpoints.empty();
  if (has_run && has_endpoints) {
    error(path, "has both `run` and `endpoints`; expected one of them");
  } else if (!has_run && !has_endpoints) {
    error(path, "has neither `run: [node, server.js]` nor `endpoints: [10.0.0.1:4010]`");
  } else if (has_run) {
    check_process(path, service.process);
  } else {
    check_endpoints(path, service);
  }
  check_cluster(path, service.cluster);
}

void Checker::check_process(const std::string& path, const deploy::ProcessConfig& process) {
  if (process.run.empty() || process.run.front().empty()) {
    error(path + ".run", "has no command; expected one such as [node, server.js]");
  }
  for (const auto& [variable, value] : process.env) {
    const std::string place = child_path(path + ".env", variable);
    if (variable.empty() || variable.find('=') != std::string::npos) {
      error(place, fmt::format("{} is not a name of a variable", in_quotes(variable)));
    } else if (variable == "PORT") {
      error(place, "is set for each replica by spillway; remove it");
    }
  }
  const auto& [min, max] = process.replicas;
  if (max && *max < min) {
    error(path + ".replicas", fmt::format("min, {}, is more than max, {}", min, *max));
  }
  if (process.ready.path) check_path_of_probe(path + ".ready.path", *process.ready.path);
  if (process.restart.pause > process.restart.pause_max) {
    error(path + ".restart", fmt::format("pause, {}, is more than pause_max, {}",
                                         spillway::to_string(process.restart.pause),
                                         spillway::to_string(process.restart.pause_max)));
  }
}

void Checker::check_endpoints(const std::string& path, const Service& service) {
  for (const std::string_view field :
       {"env", "cwd", "user", "replicas", "ready", "rollout", "restart", "stop"}) {
    const std::string place = child_path(path, field);
    if (origins_.has(place))
      error(place, "is for services with `run`; these endpoints already run");
  }
  const std::string list = path + ".endpoints";
  if (service.endpoints.empty()) error(list, "is empty; expected at least one endpoint");
  if (service.endpoints.size() > upstream::limits::endpoints_max) {
    error(list, fmt::format("has {} endpoints; expected at most {}", service.endpoints.size(),
                            upstream::limits::endpoints_max));
  }
  std::set<EndpointAddress> seen;
  for (size_t i = 0; i < service.endpoints.size(); ++i) {
    const std::string place = item_path(list, i);
    const EndpointAddress& address = service.endpoints[i].address;
    if (address == EndpointAddress{}) continue;  // Could not be read; that is reported.
    if (seen.insert(address).second) continue;
    error(place, fmt::format("{} is listed twice; use `weight` to send it more",
                             origins_.shown(place, to_string(address))));
  }
}

void Checker::check_path_of_probe(const std::string& path, std::string_view asked) {
  if (!asked.starts_with('/')) {
    error(path, "does not begin with a slash");
  } else if (!is_origin_form(asked)) {
    error(path, "has a character that no path may have, such as a space");
  }
}

void Checker::check_health(const std::string& path, const upstream::HealthConfig& health) {
  check_path_of_probe(path + ".path", health.path);
  check_value(health.host.value_or(""), path + ".host", complain());
  check_value(health.user_agent, path + ".user_agent", complain());
}

void Checker::check_cluster(const std::string& path, const upstream::ClusterConfig& cluster) {
  if (cluster.health) check_health(path + ".health", *cluster.health);
  if (cluster.sticky && !is_token(cluster.sticky->cookie)) {
    error(path + ".sticky.cookie", "is not a name of a cookie (RFC 6265 section 4.1.1)");
  }
  if (cluster.tls) check_upstream_tls(path, cluster);
  if (cluster.ejection && cluster.ejection->time > cluster.ejection->time_max) {
    error(path + ".ejection", fmt::format("time, {}, is more than time_max, {}",
                                          spillway::to_string(cluster.ejection->time),
                                          spillway::to_string(cluster.ejection->time_max)));
  }
  if (cluster.timeouts.connect > cluster.timeouts.total) {
    warn(path + ".timeouts", fmt::format("connect, {}, can never pass, because total is {}",
                                         spillway::to_string(cluster.timeouts.connect),
                                         spillway::to_string(cluster.timeouts.total)));
  }
}

void Checker::check_upstream_tls(const std::string& path, const upstream::ClusterConfig& cluster) {
  const upstream::TlsConfig& tls = *cluster.tls;
  const std::string place = path + ".tls";
  if (tls.cert.has_value() != tls.key.has_value()) {
    error(place, "has only one of `cert` and `key`; they go together");
  }
  if (!tls.verify) {
    warn(place, "says `verify: false`: anybody may answer in place of its endpoints");
  }
  if (tls.name && tls.name->empty()) error(place + ".name", "is empty; expected a name");
  if (tls.name) return;
  std::set<std::string> names;
  bool has_unix = false;
  for (const auto& [name, service] : plan_.services) {
    if (&service.cluster != &cluster) continue;
    for (const EndpointConfig& endpoint : service.endpoints) {
      names.insert(endpoint.address.name);
      has_unix = has_unix || endpoint.address.socket.is_unix();
    }
  }
  if (has_unix) {
    return error(place,
                 "needs a `name`, for the path of a UNIX socket is none that a certificate "
                 "could be for");
  }
  if (names.size() > 1) {
    error(place,
          "needs a `name`, for its endpoints have more than one: all certificates are for "
          "that name then");
  }
}

// Files may stand before a service.
bool Checker::needs_service(const std::string& path, const gateway::RouteConfig& route) const {
  if (route.redirect) return false;
  return !route.files || route.split || origins_.has(path + ".service");
}

void Checker::check_services_are_there() {
  if (!plan_.services.empty()) return;
  if (origins_.has("services")) {
    return error("services", "is empty; expected at least one service");
  }
  bool are_needed = plan_.routes.empty();
  for (size_t i = 0; i < plan_.routes.size(); ++i) {
    are_needed |= needs_service(item_path("routes", i), plan_.routes[i]);
  }
  if (are_needed) error("services", "is missing; expected names with their values");
}

void Checker::fill_in_routes() {
  if (!plan_.routes.empty()) return;
  if (origins_.has("routes")) {
    error("routes", "is empty; leave it out, or write at least one route");
  } else if (plan_.services.size() == 1) {
    plan_.routes.push_back({.service = plan_.services.begin()->first});
  } else if (plan_.services.size() > 1) {
    error("services", fmt::format("has {} services, but no `routes` say which requests go where",
                                  plan_.services.size()));
  }
}

void Checker::check_route(size_t index) {
  gateway::RouteConfig& route = plan_.routes[index];
  const std::string path = item_path("routes", index);
  check_target(path, route);
  check_limits_of(path, route);
  check_shaping(route, path, complain());
  for (const auto& [header, value] : route.headers) {
    if (is_token(header)) continue;
    error(child_path(path + ".headers", header),
          fmt::format("{} is not a name of a header", in_quotes(header)));
  }
  constexpr size_t compared_max = 1000;  // Bounds the pairs; the routes beyond are not compared.
  for (size_t earlier = 0; earlier < std::min(index, compared_max); ++earlier) {
    if (!shadows(plan_.routes[earlier], route)) continue;
    warn(path, fmt::format("is never reached: routes[{}] ({}{}) takes all of its requests", earlier,
                           plan_.routes[earlier].host.text, plan_.routes[earlier].path.text));
    return;
  }
}

// A route has a service, a split, files or a redirect.
void Checker::check_target(const std::string& path, gateway::RouteConfig& route) {
  std::string first;
  if (route.files) check_files(*route.files, path + ".files", complain());
  if (route.files && route.redirect)
    error(path, "has both `redirect` and `files`; expected one of them");
  for (const char* field : {"redirect", "split", "service"}) {
    if (!origins_.has(path + "." + field)) continue;
    if (!first.empty()) {
      error(path, fmt::format("has both `{}` and `{}`; expected one of them", first, field));
    }
    if (first.empty()) first = field;
  }
  if (route.redirect) return;
  if (!needs_service(path, route)) {
    for (const char* field : {"rewrite", "timeouts", "buffer", "request_headers"}) {
      if (!origins_.has(path + "." + field)) continue;
      error(path + "." + field, "is for a service; this route has files alone");
    }
    return;
  }
  if (!route.split) return check_service_of(path, route.service, path + ".service");
  check_split(*route.split, path + ".split", complain());
  for (size_t side = 0; side < route.split->to.size(); ++side) {
    const std::string place = item_path(path + ".split.to", side) + ".service";
    std::string& service = route.split->to[side].service;
    if (!service.empty() || origins_.has(place)) check_service_of(path, service, place);
  }
  if (!route.split->to.empty()) route.service = route.split->to.front().service;
}

void Checker::check_limits_of(const std::string& path, const gateway::RouteConfig& route) {
  std::vector<std::string_view> known;
  for (const auto& [name, limit] : plan_.limits) known.push_back(name);
  if (route.limit.size() > gateway::limits_per_route_max) {
    error(path + ".limit", fmt::format("names {} limits; expected at most {}", route.limit.size(),
                                       gateway::limits_per_route_max));
  }
  for (size_t i = 0; i < route.limit.size(); ++i) {
    if (plan_.limits.contains(route.limit[i])) continue;
    const std::string place = item_path(path + ".limit", i);
    const auto meant = nearest(route.limit[i], known);
    const std::string shown = origins_.shown(place, route.limit[i]);
    error(place, meant ? fmt::format("{} is not a limit; did you mean \"{}\"?", shown, *meant)
                       : fmt::format("{} is not a limit; known: {}", shown,
                                     known.empty() ? "none" : listed(known)));
  }
}

void Checker::check_service_of(const std::string& path, std::string& service,
                               const std::string& place) {
  std::vector<std::string_view> known;
  for (const auto& [name, other] : plan_.services) known.push_back(name);
  if (known.empty()) return;  // Reported already.
  if (service.empty() && !origins_.has(place)) {
    if (known.size() == 1) {
      service = known.front();
    } else {
      error(path, "names no `service`; expected one of " + listed(known));
    }
    return;
  }
  if (plan_.services.contains(service)) return;
  const auto meant = nearest(service, known);
  const std::string shown = origins_.shown(place, service);
  error(place, meant ? fmt::format("{} is not a service; did you mean \"{}\"?", shown, *meant)
                     : fmt::format("{} is not a service; known: {}", shown, listed(known)));
}

void Checker::check_unused_services() {
  if (!origins_.has("routes")) return;
  for (const auto& [name, service] : plan_.services) {
    const auto leads_here = [&name](const gateway::RouteConfig& route) {
      const auto is_it = [&name](const auto& target) { return target.service == name; };
      return route.service == name || (route.split && std::ranges::any_of(route.split->to, is_it));
    };
    if (std::ranges::any_of(plan_.routes, leads_here)) continue;
    if (plan_.auth.external && plan_.auth.external->service == name) continue;
    warn(child_path("services", name), "no route leads here");
  }
}

}  // namespace

Findings validate(Plan& plan, const Origins& origins) { return Checker(plan, origins).check(); }

}  // namespace spillway::plan
