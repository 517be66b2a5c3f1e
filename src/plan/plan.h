// plan/plan.h: the plan file as one value: what runs, where it listens, and what goes where.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fields.h"
#include "gateway/config.h"
#include "http/config.h"
#include "identity/config.h"
#include "plan/service.h"
#include "redis/config.h"
#include "server/config.h"

namespace spillway::plan {

// The whole file. Immutable once loaded; any core may read it.
struct Plan {
  std::string name = "spillway";
  std::optional<std::string> user;
  std::vector<std::string> include;
  std::vector<server::ListenConfig> listen;  // Never empty once loaded.
  server::ListenAddress admin;
  std::optional<uint32_t> workers;
  server::AccessLogConfig access_log;
  std::map<std::string, Service> services;   // Empty if no route needs one.
  std::vector<gateway::RouteConfig> routes;  // Never empty; the services they name exist.
  std::map<std::string, gateway::LimitConfig> limits;
  std::optional<redis::RedisConfig> redis;
  gateway::HeaderRules request_headers;
  gateway::HeaderRules response_headers;
  std::optional<gateway::CorsConfig> cors;
  std::optional<gateway::SecurityHeadersConfig> security_headers;
  std::optional<gateway::CompressConfig> compress;
  gateway::CacheConfig cache;
  std::vector<gateway::ErrorPageConfig> error_pages;
  gateway::MaintenanceConfig maintenance;
  http::RequestConfig request;
  http::ConnectionConfig connections;
  gateway::ClientsConfig clients;
  identity::AuthConfig auth;
  server::TlsConfig tls;
  server::ResourcesConfig resources;
  server::ShutdownConfig shutdown;

  // Of the plan's first file; where commands run and relative paths begin. Empty: the working
  // directory. Not a field of the file.
  std::string folder;

  Plan();

  // What of it the gateway goes by.
  gateway::GatewayConfig gateway() const;

  template <class Visitor>
  static void describe(Visitor& visit) {
    describe_instance(visit);
    describe_traffic(visit);
  }

 private:
  template <class Visitor>
  static void describe_instance(Visitor& visit);  // The process and where it listens.
  template <class Visitor>
  static void describe_traffic(Visitor& visit);  // What becomes of requests.
};

// `spillway up -- COMMAND`: replicas of this command behind the default listener.
Result<Plan> from_command(std::vector<std::string> command);
// `spillway up --to ADDRESS`: the default listener in front of what already runs.
Result<Plan> to_address(std::string_view address);

template <class Visitor>
void Plan::describe_instance(Visitor& visit) {
  visit.field("name", &Plan::name,
              {.doc = "What this instance is called in logs, metrics and status.",
               .restart = true,
               .example = "quickbid"});
  visit.field("user", &Plan::user,
              {.doc = "The user to become after ports are bound and files opened as root.",
               .restart = true,
               .example = "spillway"});
  visit.field("include", &Plan::include,
              {.doc = "More files of this shape, relative to the file that names them, merged into "
                      "it. A value that is set in two files is an error.",
               .example = "[limits.yaml]"});
  visit.field(
      "listen", &Plan::listen,
      {.doc = "Where clients connect.", .restart = true, .example = "[http://0.0.0.0:8080]"});
  visit.field("admin", &Plan::admin,
              {.doc = "Where the control API, /metrics, /health and /ready are served: a loopback "
                      "address or a UNIX socket.",
               .restart = true,
               .example = "http+unix:/run/spillway/admin.sock"});
  visit.field("workers", &Plan::workers,
              {.doc = "How many event loops, each on a thread of its own. One per core of the "
                      "machine if absent.",
               .minimum = 1,
               .maximum = 256,
               .raising = "Memory for each, and fewer connections shared within one loop.",
               .restart = true,
               .example = "2"});
  visit.field("access_log", &Plan::access_log, {.doc = "One line per answered request, or off."});
}

template <class Visitor>
void Plan::describe_traffic(Visitor& visit) {
  visit.field("services", &Plan::services,
              {.doc = "What requests can be sent to, by name. Files and redirects need none."});
  visit.field(
      "routes", &Plan::routes,
      {.doc = "Which requests go to which service: the most specific host, then the first "
              "match from the top. With one service and no routes, everything goes there."});
  visit.field(
      "limits", &Plan::limits,
      {.doc = "How many requests are let through, by name; `limit` of a route says which."});
  visit.field("redis", &Plan::redis,
              {.doc = "Where limits with `shared: true` are counted.",
               .secret = true,
               .example = "redis://10.0.0.5:6379"});
  visit.field("request_headers", &Plan::request_headers,
              {.doc = "Changes of requests before a service, on every route."});
  visit.field("response_headers", &Plan::response_headers,
              {.doc = "Changes of all answers, ours too."});
  visit.field("cors", &Plan::cors,
              {.doc = "Which pages of other origins may use this one, on every route that does not "
                      "say it itself. Without it services answer for themselves."});
  visit.field("security_headers", &Plan::security_headers,
              {.doc = "Fields that tell browsers to be careful, on every answer that does not "
                      "have them. Not sent if absent.",
               .example = "default"});
  visit.field("compress", &Plan::compress,
              {.doc = "Compresses answers in the coding that each client likes best, unless the "
                      "service did it or Cache-Control: no-transform or X-No-Compression forbid "
                      "it. Not done if absent.",
               .raising = "CPU time, and up to 1 MB for each answer being compressed.",
               .example = "default"});
  visit.field("cache", &Plan::cache,
              {.doc = "Where answers are kept, for the routes that have a `cache`."});
  visit.field("error_pages", &Plan::error_pages,
              {.doc = "Pages for people where requests fail, at most 64. Of those for a status the "
                      "one that the client accepts best is shown (RFC 9110 section 12.5.1), the "
                      "first among equals. What has a text of its own in the plan, such as the "
                      "message of a limit, keeps it.",
               .example = "[{ status: 500-599, file: pages/500.html }]"});
  visit.field("maintenance", &Plan::maintenance,
              {.doc = "What everybody is told while the application is closed."});
  visit.field("request", &Plan::request, {.doc = "What one request may bring."});
  visit.field("connections", &Plan::connections,
              {.doc = "How long a client may take over its connection."});
  visit.field("clients", &Plan::clients,
              {.doc = "Which clients are served, and whom we believe about who they are."});
  visit.field("auth", &Plan::auth,
              {.doc = "The ways to tell who a caller is; `routes[].auth` asks for them."});
  visit.field("tls", &Plan::tls, {.doc = "How https listeners speak TLS."});
  visit.field("resources", &Plan::resources, {.doc = "What the whole process may use."});
  visit.field("shutdown", &Plan::shutdown, {.doc = "How a graceful stop ends."});
}

}  // namespace spillway::plan
