// plan/loader_test.cc: plans that load, and what is said of those that do not.
#include "plan/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace spillway::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

using Files = std::map<std::string, std::string>;

// A world of its own: these files and these variables, nothing else.
Surroundings world(Files files = {}, Files variables = {}) {
  return {.variable = [variables = std::move(variables)](
                          std::string_view name) -> std::optional<std::string> {
            const auto found = variables.find(std::string(name));
            if (found == variables.end()) return std::nullopt;
            return found->second;
          },
          .read_file = [files = std::move(files)](const std::string& path) -> Result<std::string> {
            const auto found = files.find(path);
            if (found == files.end()) {
              return fail(Error::Code::not_found, path + ": No such file or directory");
            }
            return found->second;
          }};
}

LoadResult load(const std::string& text, Files files = {}, Files variables = {}) {
  return load_text(text, "p.yaml", world(std::move(files), std::move(variables)));
}

std::vector<std::string> lines(const std::vector<Problem>& problems) {
  std::vector<std::string> result;
  for (const Problem& problem : problems) result.push_back(to_string(problem));
  return result;
}

TEST(Loader, reads_the_smallest_plan_of_a_real_application) {
  const auto result = load(
      "listen: [http://0.0.0.0:8080]\n"
      "services:\n"
      "  web: { run: [node, server.js], replicas: { min: 2, max: 6 } }\n");
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_THAT(lines(result.warnings), IsEmpty());
  const Plan& plan = *result.plan;
  ASSERT_THAT(plan.listen, SizeIs(1));
  EXPECT_EQ(to_string(plan.listen[0].at), "http://0.0.0.0:8080");
  const Service& web = plan.services.at("web");
  EXPECT_THAT(web.process.run, ElementsAre("node", "server.js"));
  EXPECT_EQ(web.process.replicas, (deploy::ReplicasConfig{.min = 2, .max = 6}));
  ASSERT_THAT(plan.routes, SizeIs(1));
  EXPECT_EQ(plan.routes[0].service, "web");
  EXPECT_EQ(plan.routes[0].path.text, "/*");
  EXPECT_THAT(result.files, ElementsAre("p.yaml"));
}

constexpr const char* full_plan = R"(
name: quickbid
user: spillway
listen:
  - { at: "http://[::]:8080", proxy_protocol: [10.0.0.0/8, 192.0.2.1] }
  - { at: "http+unix:/run/spillway/app.sock", mode: "0660" }
admin: http+unix:/run/spillway/admin.sock
workers: 2
access_log: { to: /var/log/spillway/access.log, format: json }
services:
  api:
    run: [node, server.js]
    env: { NODE_ENV: production, PRICE: 12.5 }
    cwd: ./app
    replicas: { min: 3, max: 20 }
    health:  { path: /health, every: 30s, timeout: 10s, failures: 3, grace: 40s, status: 200-399 }
    ready:   { path: /ready }
    rollout: { parallel: 1, pause: 10s }
    restart: { pause: 1s, pause_max: 30s, give_up: 3 }
    stop:    { grace: 20s }
    balance: ring_hash(header:x-user)
    sticky:  { cookie: spillway_endpoint }
    timeouts: { connect: 3s, first_byte: 30s, idle: 60s, total: 30s, keepalive: 4s,
                websocket_idle: 1h }
    retries:  { attempts: 3, budget: { share: 20%, least: 10/s } }
    breaker:  { error_share: 50%, requests: 20, open: 30s }
    ejection: off
    concurrency: 64
    queue:    { length: 1000, wait: 1s }
  legacy:
    endpoints: [10.0.0.1:4010, { address: "legacy.internal:4010", weight: 5 }, "unix:/run/x.sock"]
routes:
  - { path: /api/bids, methods: [POST], service: api, headers: { x-beta: "1" }, query: { v: "2" } }
  - { path: /live, service: api, timeouts: { websocket_idle: 2h }, buffer: 256KB }
  - { host: "*.Shops.example", service: legacy }
  - { path: /*, service: api }
request: { body: 10MB, headers: 50, url: 2048B }
connections: { head_timeout: 5s, idle_timeout: 1m15s }
clients: { trusted_proxies: [127.0.0.1, "::1"] }
resources: { connections: 5000 }
shutdown: { drain: 1m }
)";

TEST(Loader, reads_a_plan_that_says_everything) {
  const auto result = load(full_plan);
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_THAT(lines(result.warnings), IsEmpty());
  const Plan& plan = *result.plan;
  EXPECT_EQ(plan.listen[1].mode->bits, 0660u);
  EXPECT_TRUE(plan.listen[0].proxy_protocol[0].contains(*IpAddress::parse("10.9.8.7")));
  EXPECT_EQ(plan.workers, 2u);
  const Service& api = plan.services.at("api");
  EXPECT_EQ(api.process.env.at("PRICE"), "12.5");
  EXPECT_EQ(api.cluster.health->every, 30s);
  EXPECT_EQ(api.cluster.balance.hash_name, "x-user");
  EXPECT_FALSE(api.cluster.ejection);
  EXPECT_EQ(api.process.restart.give_up, 3u);
  const Service& legacy = plan.services.at("legacy");
  ASSERT_THAT(legacy.endpoints, SizeIs(3));
  EXPECT_EQ(legacy.endpoints[1].address.name, "legacy.internal");
  EXPECT_EQ(legacy.endpoints[1].weight, 5u);
  EXPECT_EQ(to_string(legacy.endpoints[2].address), "unix:/run/x.sock");
  EXPECT_EQ(plan.routes[2].host.suffix(), ".shops.example");
  EXPECT_EQ(plan.routes[1].buffer, ByteSize::kib(256));
  EXPECT_EQ(plan.request.headers, 50u);
  EXPECT_EQ(plan.connections.idle_timeout, 75s);
}

TEST(Loader, takes_short_forms) {
  const auto result = load(
      "access_log: off\n"
      "services: { web: { endpoints: [127.0.0.1:3000] }, job: { run: [a], replicas: 3 } }\n"
      "routes: [{ service: web }, { host: job.example, service: job }]\n");
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_TRUE(result.plan->access_log.is_off());
  EXPECT_EQ(result.plan->services.at("job").process.replicas.most(), 3u);
}

struct BadPlan {
  const char* name;
  const char* text;
  std::vector<std::string> errors;
};

// Without its own services, a case gets these.
constexpr const char* some_service = "\nservices: { web: { endpoints: [127.0.0.1:3000] } }\n";

const std::vector<BadPlan> bad_plans{
    {"misspelt",
     "worker: 2",
     {R"(p.yaml:1:1: worker: "worker" is not a field here; did you mean "workers"?)"}},
    {"not_built",
     "events: { bus: memory }",
     {R"(p.yaml:1:1: events: "events" is not a field of this version; known here: name, user, )"
      "include, listen, admin, workers, access_log, services, routes, limits, redis, "
      "request_headers, response_headers, cors, security_headers, compress, cache, error_pages, "
      "maintenance, request, "
      "connections, clients, auth, tls, resources, shutdown"}},
    {"pages",
     "error_pages: [{ status: 200-499, file: e.html }, { file: x.html }]",
     {"p.yaml:1:25: error_pages[0].status: 200-499 has statuses that are no errors; expected 400 "
      "to 599",
      "p.yaml:1:50: error_pages[1].status: is missing; expected a value such as 500-599"}},
    {"files",
     "routes:\n  - { path: /a/*, files: { folder: ./site, keep: { folder: site/old } } }\n"
     "  - { path: /b/*, files: { folder: s, index: a/b, fallback: /x, immutable: [a, \"/*/b\"] } "
     "}\n"
     "  - { path: /c/*, files: s, redirect: /d }\n"
     "  - { path: /e/*, files: { folder: s, keep: { folder: s-old } } }\n"
     "  - { path: /f/*, files: s, rewrite: { path: /x }, timeouts: { total: 1s } }\nservices: { a: "
     "{ run: [x] "
     "} }",
     {"p.yaml:2:60: routes[0].files.keep.folder: lies in the folder that is served; expected one "
      "beside it, such as ./.kept",
      "p.yaml:3:46: routes[1].files.index: is not a name of a file such as index.html",
      "p.yaml:3:61: routes[1].files.fallback: is not a path within the folder such as index.html",
      "p.yaml:3:77: routes[1].files.immutable[0]: \"a\" is not a path such as /assets/*, with a "
      "star "
      "at its end or none",
      "p.yaml:3:80: routes[1].files.immutable[1]: \"/*/b\" is not a path such as /assets/*, with a "
      "star at its end or none",
      "p.yaml:4:5: routes[2]: has both `redirect` and `files`; expected one of them",
      "p.yaml:6:38: routes[4].rewrite: is for a service; this route has files alone",
      "p.yaml:6:62: routes[4].timeouts: is for a service; this route has files alone"}},
    {"splits",
     "services: { a: { run: [x] }, b: { run: [y] } }\nroutes:\n"
     "  - { path: /1, service: a, split: { to: [{ service: a }, { service: b }] } }\n"
     "  - { path: /2, split: { by: all, to: [{ service: a, share: 1% }, { service: bb }] } }\n"
     "  - { path: /3, split: { to: [{ service: a }] } }\n"
     "  - { path: /4, split: { to: [{ service: a }, { service: b, share: 60% }, "
     "{ service: b, share: 50%, headers: { \"x y\": 1 } }] } }",
     {"p.yaml:3:5: routes[0]: has both `split` and `service`; expected one of them",
      "p.yaml:4:30: routes[1].split.by: is the same for all requests; expected ip, user, "
      "header:NAME or cookie:NAME",
      "p.yaml:4:40: routes[1].split.to[0]: is the service to fall back to, which gets what the "
      "others leave; expected no `share`, `headers` or `cookies`",
      "p.yaml:4:78: routes[1].split.to[1].service: \"bb\" is not a service; known: a, b",
      "p.yaml:5:30: routes[2].split.to: has 1 service; expected 2 to 8",
      "p.yaml:6:30: routes[3].split.to: shares 110% in all; expected at most 100%",
      "p.yaml:6:86: routes[3].split.to[2].service: \"b\" is listed twice",
      "p.yaml:6:119: routes[3].split.to[2].headers.x y: \"x y\" is not a name of a header"}},
    {"cache",
     "routes:\n  - { path: /a, redirect: /b, cache: on }\n"
     "  - { path: /*, cache: { overrides: true, key: { user: true, headers: [\"x y\"] }, bypass: { "
     "cookies: [\"a=b\"] } } }\n"
     "  - { path: /c, cache: often }",
     {"p.yaml:2:38: routes[0].cache: is for routes with a `service`; of files browsers keep what "
      "`files: { max_age, immutable }` says",
      "p.yaml:3:37: routes[1].cache.overrides: keeps nothing without a `ttl` or a `negative_ttl`",
      "p.yaml:3:56: routes[1].cache.key.user: needs `auth` on the route: without it nobody has a "
      "name",
      "p.yaml:3:72: routes[1].cache.key.headers[0]: \"x y\" is not a name of a header",
      "p.yaml:3:102: routes[1].cache.bypass.cookies[0]: \"a=b\" is not a name of a cookie",
      "p.yaml:4:24: routes[2].cache: \"often\" is not known; expected on, off, a ttl such as 5m, "
      "or "
      "fields"}},
    {"https",
     "listen: [https://0.0.0.0:443]",
     {"p.yaml:1:10: listen[0]: is https, but `tls` has no `certificates: [{ cert: shop.pem, key: "
      "shop.key }]`"}},
    {"tls_words",
     "tls: { minimum: \"1.1\", groups: [P256] }",
     {R"(p.yaml:1:17: tls.minimum: found "1.1", expected one of 1.2, 1.3)",
      R"(p.yaml:1:33: tls.groups[0]: found "P256", expected one of X25519MLKEM768, )"
      "SecP256r1MLKEM768, SecP384r1MLKEM1024, X25519, P-256, P-384, X448, P-521"}},
    {"tls",
     "listen: [{ at: http://0.0.0.0:80, redirect: https }]\nadmin: https://127.0.0.1:9901\n"
     "tls: { certificates: [], hsts: { max_age: 1d, preload: true } }",
     {"p.yaml:1:45: listen[0].redirect: leads nowhere: no listener is https; where something else "
      "is, write https:PORT",
      "p.yaml:2:8: admin: is for this machine alone and speaks no TLS; expected http",
      "p.yaml:3:22: tls.certificates: is empty; expected at least one certificate",
      "p.yaml:3:56: tls.hsts.preload: needs `subdomains: true` and a `max_age` of at least a "
      "year"}},
    {"unix_tls",
     "services: { a: { endpoints: [\"unix:/run/a.sock\"], tls: {} } }",
     {"p.yaml:1:56: services.a.tls: needs a `name`, for the path of a UNIX socket is none that a "
      "certificate could be for"}},
    {"all_at_once",
     "workers: many\nname: [a]\nshutdown: { drain: 5 }\nadmin:",
     {R"(p.yaml:1:10: workers: found "many", expected a whole number such as 2)",
      "p.yaml:2:7: name: found a list, expected text such as quickbid",
      R"(p.yaml:3:20: shutdown.drain: found "5", expected a duration such as 250ms, 30s, 5m, )"
      "1h or 7d",
      "p.yaml:4:1: admin: found nothing, expected a value such as "
      "http+unix:/run/spillway/admin.sock"}},
    {"twice",
     "workers: 1\nrequest: { url: 1KB, url: 2KB }\nworkers: 2",
     {"p.yaml:2:22: request.url: is set twice; first at p.yaml:2:12",
      "p.yaml:3:1: workers: is set twice; first at p.yaml:1:1"}},
    {"bounds",
     "workers: 0\nconnections: { head_timeout: 1ms, pipelined: 5000 }\nrequest: { url: 2MB }",
     {R"(p.yaml:1:10: workers: "0" is below the least allowed, 1)",
      R"(p.yaml:2:30: connections.head_timeout: "1ms" is below the least allowed, 100ms)",
      R"(p.yaml:2:46: connections.pipelined: "5000" is above the most allowed, 1000)",
      "p.yaml:3:17: request.url: \"2MB\" is above the most allowed, 128KB",
      "p.yaml:3:17: request.url: is more than request.head, 32KB, which holds it"}},
    {"choice",
     "access_log: { format: xml }",
     {R"(p.yaml:1:23: access_log.format: found "xml", expected one of json)"}},
    {"listeners",
     "listen: [\"http://[::]:80\", http://0.0.0.0, { at: http://127.0.0.1:9901, mode: \"0600\" "
     "}, "
     "{ mode: 777 }]",
     {"p.yaml:1:28: listen[1]: cannot listen at http://0.0.0.0:80, because listen[0] takes it",
      "p.yaml:1:44: listen[2]: cannot listen at http://127.0.0.1:9901, because `admin` takes it",
      "p.yaml:1:79: listen[2].mode: is for UNIX sockets only; this listener has a port",
      "p.yaml:1:89: listen[3].at: is missing; expected a value such as http://0.0.0.0:8080",
      "p.yaml:1:97: listen[3].mode: is for UNIX sockets only; this listener has a port"}},
    {"open_admin",
     "admin: http://0.0.0.0:9901",
     {R"(p.yaml:1:8: admin: "http://0.0.0.0:9901" is not a loopback address; expected one such )"
      "as http://127.0.0.1:9901, or http+unix:/PATH"}},
    {"header_values",
     "security_headers: { content_security_policy: \"a\\nb\", frame_options: \"\\x7f\" }\n"
     "cors: { origins: [\"*\"], methods: [\"A B\"], headers: [\"x:\"], expose: [\"x\\ny\"] }\n"
     "services: { a: { endpoints: [127.0.0.1:1], health: { path: \"/a b\", host: \"a\\rb\", "
     "user_agent: \"\\n\" } } }",
     {"p.yaml:1:46: security_headers.content_security_policy: has a character that no header may "
      "have, such as a line break; `>-` "
      "makes one line of several in YAML",
      "p.yaml:1:69: security_headers.frame_options: has a character that no header may have, such "
      "as a line break; `>-` "
      "makes one line of several in YAML",
      "p.yaml:2:35: cors.methods[0]: \"A B\" is not a name of a method",
      "p.yaml:2:53: cors.headers[0]: \"x:\" is not a name of a header",
      "p.yaml:2:69: cors.expose[0]: \"x\\x0ay\" is not a name of a header",
      "p.yaml:3:60: services.a.health.path: has a character that no path may have, such as a space",
      "p.yaml:3:74: services.a.health.host: has a character that no header may have, such as a "
      "line break; `>-` "
      "makes one line of several in YAML",
      "p.yaml:3:94: services.a.health.user_agent: has a character that no header may have, such as "
      "a line break; `>-` "
      "makes one line of several in YAML"}},
    {"no_service",
     "services: {}",
     {"p.yaml:1:11: services: is empty; expected at least one service"}},
    {"services",
     "services:\n"
     "  Web: { endpoints: [127.0.0.1:1] }\n"
     "  both: { run: [a], endpoints: [127.0.0.1:1] }\n"
     "  none: {}\n"
     "  idle: { run: [], replicas: { min: 3, max: 2 } }\n"
     "  odd: { endpoints: [127.0.0.1:1, 127.0.0.1:1, 10.0.0.300:1], env: { A: b } }\n"
     "  env: { run: a, env: { PORT: 1, \"A=B\": 2 } }\n"
     "routes: [{ service: odd }]",
     {"p.yaml:2:8: services.Web: \"Web\" is not a name of a service; expected small letters, "
      "digits, - and _, at most 63",
      "p.yaml:3:9: services.both: has both `run` and `endpoints`; expected one of them",
      "p.yaml:4:9: services.none: has neither `run: [node, server.js]` nor `endpoints: "
      "[10.0.0.1:4010]`",
      "p.yaml:5:16: services.idle.run: has no command; expected one such as [node, server.js]",
      "p.yaml:5:30: services.idle.replicas: min, 3, is more than max, 2",
      "p.yaml:6:35: services.odd.endpoints[1]: \"127.0.0.1:1\" is listed twice; use `weight` to "
      "send it more",
      "p.yaml:6:48: services.odd.endpoints[2]: \"10.0.0.300:1\": expected an address such as "
      "10.0.0.1:4010, [::1]:4010, app.internal:4010 or unix:/run/app.sock",
      "p.yaml:6:68: services.odd.env: is for services with `run`; these endpoints already run",
      "p.yaml:7:15: services.env.run: found \"a\", expected a list such as [node, server.js]",
      "p.yaml:7:15: services.env.run: has no command; expected one such as [node, server.js]",
      "p.yaml:7:31: services.env.env.PORT: is set for each replica by spillway; remove it",
      "p.yaml:7:41: services.env.env.A=B: \"A=B\" is not a name of a variable"}},
    {"routes",
     "services: { api: { run: [a] }, web: { run: [b] } }\n"
     "routes:\n"
     "  - { path: /a, service: apt }\n"
     "  - { path: /b, service: payments }\n"
     "  - { path: /c }\n"
     "  - { path: a/../b, host: \"a.*.b\", methods: [get, TRACE], service: api, headers: { \"a "
     "b\": "
     "1 } }\n"
     "  - { path: /x, service: web, images: ./uploads }",
     {"p.yaml:3:26: routes[0].service: \"apt\" is not a service; did you mean \"api\"?",
      "p.yaml:4:26: routes[1].service: \"payments\" is not a service; known: api, web",
      "p.yaml:5:5: routes[2]: names no `service`; expected one of api, web",
      "p.yaml:6:13: routes[3].path: \"a/../b\" does not begin with a slash; expected a path such "
      "as /login, /api/* or /*",
      "p.yaml:6:27: routes[3].host: \"a.*.b\" is not a host such as shop.example, "
      "*.shops.example (a star for whole labels, in front only) or 10.0.0.1, without a port",
      "p.yaml:6:46: routes[3].methods[0]: \"get\" is not a method such as GET or POST, in "
      "capitals",
      "p.yaml:6:51: routes[3].methods[1]: TRACE is never forwarded",
      "p.yaml:6:91: routes[3].headers.a b: \"a b\" is not a name of a header",
      "p.yaml:7:31: routes[4].images: \"images\" is not a field of this version; known here: host, "
      "path, methods, headers, query, service, split, files, maintenance, limit, redirect, "
      "rewrite, request_headers, "
      "response_headers, cors, timeouts, buffer, cache, auth, require"}},
    {"limits",
     "limits: { all: { rate: 50/s, by: users } }",
     {R"(p.yaml:1:24: limits.all.rate: "50/s" says no burst: how many may come ahead of their )"
      R"(time; expected "50 per 1m", or "50/s burst 10")",
      R"(p.yaml:1:34: limits.all.by: "users" is not whose requests are counted; expected ip, )"
      "user, route, all, header:NAME or cookie:NAME"}},
    {"limit_names",
     "limits: { Bids: { rate: 50 per 1m } }\n"
     "services: { web: { endpoints: [127.0.0.1:1] } }\nroutes: [{ limit: [bid, Bids, a, b, c] }]",
     {R"(p.yaml:1:17: limits.Bids: "Bids" is not a name of a limit; expected small letters, )"
      "digits, - and _, at most 63",
      "p.yaml:3:19: routes[0].limit: names 5 limits; expected at most 4",
      R"(p.yaml:3:20: routes[0].limit[0]: "bid" is not a limit; did you mean "Bids"?)",
      R"(p.yaml:3:31: routes[0].limit[2]: "a" is not a limit; known: Bids)",
      R"(p.yaml:3:34: routes[0].limit[3]: "b" is not a limit; known: Bids)",
      R"(p.yaml:3:37: routes[0].limit[4]: "c" is not a limit; known: Bids)"}},
    {"shared_nowhere",
     "limits: { bids: { rate: 50 per 1m, shared: true } }",
     {"p.yaml:1:44: limits.bids.shared: needs `redis: redis://10.0.0.5:6379`, where instances "
      "count together"}},
    {"redis_tls",
     "redis: rediss://:secret@10.0.0.5",
     {"p.yaml:1:8: redis.at[0]: begins with rediss://; TLS to Redis is not built into this "
      "version"}},
    {"redis_sentinel",
     "redis: sentinel://:secret@10.0.0.5",
     {"p.yaml:1:8: redis: found a value (not shown), expected fields such as "
      "redis://10.0.0.5:6379"}},
    {"redis_addresses",
     "redis: { at: [redis://10.0.0.5, redis://:secret@10.0.0.6], prefix: \"a{b\" }",
     {"p.yaml:1:14: redis.at: has several addresses, which a cluster alone has; write `cluster: "
      "true`, or one address",
      "p.yaml:1:33: redis.at[1]: has another user or password than the first; a cluster has one",
      "p.yaml:1:68: redis.prefix: is not 1 to 128 printable characters without blanks and braces"}},
    {"redis_cluster",
     "redis: { at: redis://10.0.0.5/3, cluster: true, timeout: 1m }",
     {"p.yaml:1:14: redis.at[0]: names a database; a cluster has none but 0",
      R"(p.yaml:1:58: redis.timeout: "1m" is above the most allowed, 10s)"}},
    {"redis_nowhere",
     "redis: { at: [], cluster: true }",
     {"p.yaml:1:14: redis.at: is empty; expected at least one address"}},
    {"countries",
     "clients: { countries: { deny: [de, FR], allow: [FR] } }\n"
     "services: { web: { endpoints: [127.0.0.1:1] } }\n",
     {"p.yaml:1:23: clients.countries: names countries, but no `file: GeoLite2-Country.mmdb` tells "
      "whose client is where",
      R"(p.yaml:1:32: clients.countries.deny[0]: "de" is not a country; expected two capital )"
      "letters such as DE (ISO 3166-1)",
      "p.yaml:1:36: clients.countries.deny[1]: FR is in `allow`, too"}},
    {"compress",
     "compress: { encodings: [], types: [] }\n",
     {"p.yaml:1:24: compress.encodings: is empty; expected at least one of zstd, br, gzip; without "
      "it write `compress: off`",
      "p.yaml:1:35: compress.types: is empty; expected media types such as text/*; without it "
      "write `compress: off`"}},
    {"media_type",
     "compress: { types: [text] }\n",
     {R"(p.yaml:1:21: compress.types[0]: "text" is not a media type; expected one such as )"
      "application/json, text/* or *+json"}},
    {"shaping",
     "services: { web: { endpoints: [127.0.0.1:1] } }\n"
     "request_headers: { set: { host: x } }\n"
     "cors: { origins: [\"https://a/\", \"*\"], credentials: true }\n"
     "routes:\n"
     "  - { path: /a, redirect: //evil, service: web }\n"
     "  - { path: /b, redirect: { to: \"/x/{path}\", status: 303 } }\n"
     "  - { path: /c, rewrite: { strip_prefix: /a/, path: b } }\n",
     {R"(p.yaml:2:33: request_headers.set.host: "host" cannot be changed: it belongs to the )"
      "connection or is written by spillway; `rewrite: { host: ... }` changes it",
      R"(p.yaml:3:19: cors.origins[0]: "https://a/" is no origin; expected one such as )"
      "https://app.example, without a path",
      "p.yaml:3:33: cors.origins[1]: is everybody, who must not have `credentials`",
      "p.yaml:5:5: routes[0]: has both `redirect` and `service`; expected one of them",
      "p.yaml:5:27: routes[0].redirect.to: would begin a path with two slashes; {path} has its own",
      "p.yaml:6:33: routes[1].redirect.to: would begin a path with two slashes; {path} has its own",
      "p.yaml:6:54: routes[1].redirect.status: 303 is not 301, 302, 307 or 308",
      "p.yaml:7:26: routes[2].rewrite: has both `path` and `strip_prefix`; `path` takes the place "
      "of "
      "all of it",
      "p.yaml:7:42: routes[2].rewrite.strip_prefix: ends in a slash; expected a prefix such as "
      "/api",
      R"(p.yaml:7:53: routes[2].rewrite.path: "b" does not begin with a slash; expected a path )"
      "such as /login, /api/* or /*"}},
    {"no_routes",
     "services: { api: { run: [a] }, web: { run: [b] } }",
     {"p.yaml:1:11: services: has 2 services, but no `routes` say which requests go where"}},
    {"broken_yaml",
     "listen: [http://0.0.0.0:80\nworkers: 2",
     {"p.yaml:2:8: is not YAML: end of sequence flow not found; a value with [ ] { } or a comma "
      "in it "
      "needs quotes"}},
    {"documents",
     "workers: 1\n---\nworkers: 2",
     {"p.yaml: holds several YAML documents; expected one"}},
    {"merge_key",
     "request: { <<: {}, url: 1KB }",
     {"p.yaml:1:12: request.<<: merge keys are not part of YAML 1.2; write the fields out"}},
    {"tag",
     "workers: !!int 2",
     {"p.yaml:1:10: workers: type tags (!...) are not used here; remove it"}},
    {"key", "[a]: 1\nname: x", {"p.yaml:1:1: a key has to be a name, not a list or a map"}},
};

TEST(Loader, says_where_and_what_and_what_was_meant) {
  for (const BadPlan& bad : bad_plans) {
    std::string text = bad.text;
    if (text.find("services:") == std::string::npos) text += some_service;
    const auto result = load(text);
    EXPECT_FALSE(result.plan) << bad.name;
    EXPECT_THAT(lines(result.errors), testing::ElementsAreArray(bad.errors)) << bad.name;
  }
}

TEST(Loader, asks_for_services_where_a_route_needs_one) {
  EXPECT_THAT(lines(load("workers: 1").errors),
              ElementsAre("p.yaml:1:1: services: is missing; expected names with their values"));
  EXPECT_THAT(lines(load("routes: [{ path: /a/*, files: a }, { path: /* }]").errors),
              ElementsAre("p.yaml:1:1: services: is missing; expected names with their values"));
  const auto site = load("routes: [{ path: /*, files: a }, { path: /b, redirect: /c }]");
  ASSERT_TRUE(site.plan);
  EXPECT_TRUE(site.plan->services.empty());
  EXPECT_THAT(lines(load("").errors), ElementsAre("p.yaml: is empty; expected a plan"));
  EXPECT_THAT(lines(load("just words").errors),
              ElementsAre("p.yaml:1:1: expected fields, found \"just words\""));
}

TEST(Loader, warns_of_routes_that_nothing_reaches) {
  const auto result = load(
      "services: { a: { run: [a] }, b: { run: [b] }, c: { run: [c] } }\n"
      "routes:\n"
      "  - { path: /api/*, methods: [GET, POST], service: a }\n"
      "  - { path: /api/x/*, methods: [GET], service: b }\n"
      "  - { path: /api/x, service: b }\n"
      "  - { path: /*, service: a }\n"
      "  - { path: /y, service: b, query: { a: \"1\" } }\n"
      "  - { path: /y, host: a.example, service: b }\n");
  ASSERT_TRUE(result.plan);
  EXPECT_THAT(lines(result.warnings),
              ElementsAre("p.yaml:1:50: services.c: no route leads here",
                          "p.yaml:4:5: routes[1]: is never reached: routes[0] (/api/*) takes all "
                          "of its requests",
                          "p.yaml:7:5: routes[4]: is never reached: routes[3] (/*) takes all of "
                          "its requests"));
}

TEST(Loader, warns_of_services_whose_certificates_nobody_looks_at) {
  const auto result = load(
      "services: { a: { endpoints: [\"a.example:443\"], tls: { verify: false } } }\n"
      "routes: [{ path: /*, service: a }]\n");
  ASSERT_TRUE(result.plan);
  EXPECT_THAT(lines(result.warnings),
              ElementsAre(testing::HasSubstr("services.a.tls: says `verify: false`: anybody")));
}

TEST(Loader, merges_included_files) {
  const auto result = load("include: [more/limits.yaml]\nrequest: { url: 2KB }",
                           {{"more/limits.yaml", "include: [web.yaml]\nrequest: { body: 1MB }\n"},
                            {"more/web.yaml", "services: { web: { run: [a] } }\n"}});
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_EQ(result.plan->request.url, ByteSize::kib(2));
  EXPECT_EQ(result.plan->request.body, ByteSize::mib(1));
  EXPECT_TRUE(result.plan->services.contains("web"));
  EXPECT_THAT(result.files, ElementsAre("p.yaml", "more/limits.yaml", "more/web.yaml"));
}

TEST(Loader, refuses_conflicts_and_cycles_between_files) {
  const std::string services = "services: { web: { run: [a] } }\n";
  EXPECT_THAT(lines(load("include: [b.yaml]\nrequest: { url: 2KB }\n" + services,
                         {{"b.yaml", "workers: 2\nrequest:\n  url: 4KB\n"}})
                        .errors),
              ElementsAre("b.yaml:3:3: request.url: is set in two files; also at p.yaml:2:12; "
                          "remove one of them"));
  EXPECT_THAT(
      lines(load("include: [b.yaml]\n" + services, {{"b.yaml", "include: [p.yaml]"}}).errors),
      ElementsAre("b.yaml:1:11: include: \"p.yaml\" includes itself: p.yaml -> b.yaml -> "
                  "p.yaml"));
  EXPECT_THAT(
      lines(load("include: [b.yaml, ./b.yaml, c.yaml]\n" + services, {{"b.yaml", "workers: 2"}})
                .errors),
      ElementsAre("p.yaml:1:19: include: \"b.yaml\" is included twice",
                  "p.yaml:1:29: include: c.yaml: No such file or directory"));
}

TEST(Loader, points_into_the_included_file) {
  EXPECT_THAT(
      lines(load("include: [b.yaml]", {{"b.yaml", "services:\n  web: { runs: [a] }"}}).errors),
      ElementsAre("b.yaml:2:8: services.web: has neither `run: [node, server.js]` nor "
                  "`endpoints: [10.0.0.1:4010]`",
                  "b.yaml:2:10: services.web.runs: \"runs\" is not a field here; did you "
                  "mean \"run\"?"));
}

TEST(Loader, fills_in_variables_and_files_once) {
  const auto result = load(
      "workers: ${WORKERS}\n"
      "services: { web: { run: [sh, -c, \"echo $${HOME} ${ODD}\"], env: { KEY: "
      "\"${file:secrets/key}\" } } }",
      {{"secrets/key", "s3cret\n"}}, {{"WORKERS", "3"}, {"ODD", "${WORKERS}: [x]"}});
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_EQ(result.plan->workers, 3u);
  const deploy::ProcessConfig& process = result.plan->services.at("web").process;
  EXPECT_EQ(process.run[2], "echo ${HOME} ${WORKERS}: [x]");
  EXPECT_EQ(process.env.at("KEY"), "s3cret");
  EXPECT_THAT(result.files, ElementsAre("p.yaml", "secrets/key"));
}

TEST(Loader, names_what_is_missing_from_the_surroundings) {
  EXPECT_THAT(
      lines(load("workers: ${N}\nuser: \"${file:u}\"\nname: ${a b}\nadmin: \"${X\"" +
                 std::string(some_service))
                .errors),
      testing::IsSupersetOf(
          {"p.yaml:1:10: workers: ${N} is not set in the environment; set it, or write $${N} for "
           "that text itself",
           "p.yaml:2:7: user: u: No such file or directory",
           "p.yaml:3:7: name: \"a b\" is not the name of a variable; expected ${NAME} or "
           "${file:PATH}, or $${ for a plain ${",
           "p.yaml:4:8: admin: \"${\" has no closing brace; write $${ for a plain ${"}));
}

TEST(Loader, never_repeats_a_secret) {
  const Files variables{{"S", "hunter2"}};
  const auto result = load(
      "workers: ${S}\n"
      "admin: http://${S}:1\n"
      "shutdown: { drain: \"${S}\" }\n"
      "access_log: ${S}\n"
      "services:\n"
      "  web: { run: [a], env: { A: [hunter2], B: { hunter2: 1 } }, balance: \"${S}\" }\n"
      "  old: { endpoints: [\"${S}:0\", \"${S}:1\", \"${S}:1\"] }\n"
      "routes: [{ service: \"${S}\", path: \"${S}\", host: \"-${S}\" }]\n",
      {}, variables);
  EXPECT_FALSE(result.plan);
  EXPECT_THAT(result.errors, SizeIs(testing::Ge(11u)));
  for (const std::string& line : lines(result.errors)) EXPECT_THAT(line, Not(HasSubstr("hunter2")));
}

TEST(Loader, bounds_what_aliases_unfold_to) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += "*a" + std::to_string(i - 1) + ", ";
    text += "x]\n";
  }
  EXPECT_THAT(lines(load(text).errors), testing::Contains(HasSubstr("the plan is too large")));
  EXPECT_THAT(lines(load("a: &a [*a]").errors),
              testing::Contains(HasSubstr("the alias stands within what it names")));
  EXPECT_THAT(lines(load("a: " + std::string(40, '[') + std::string(40, ']')).errors),
              testing::Contains(HasSubstr("nested deeper than 32 levels")));
}

TEST(Loader, reads_aliases_as_copies) {
  const auto result = load(
      "services:\n"
      "  a: { endpoints: [127.0.0.1:1], timeouts: &t { total: 5s } }\n"
      "  b: { endpoints: [127.0.0.1:2], timeouts: *t }\n"
      "routes: [{ path: /a, service: a }, { service: b }]\n");
  ASSERT_THAT(lines(result.errors), IsEmpty());
  EXPECT_EQ(result.plan->services.at("b").cluster.timeouts.total, 5s);
}

TEST(Loader, lists_a_hundred_problems_and_counts_the_rest) {
  std::string text = "services: { web: { run: [a] } }\n";
  for (int i = 0; i < 150; ++i) text += "zz" + std::to_string(i) + ": 1\n";
  const auto result = load(text);
  ASSERT_THAT(result.errors, SizeIs(101));
  EXPECT_EQ(result.errors.back().message, "and 50 more");
}

TEST(Loader, says_that_a_file_cannot_be_read) {
  EXPECT_THAT(lines(load_file("missing.yaml", world()).errors),
              ElementsAre("missing.yaml: missing.yaml: No such file or directory"));
  EXPECT_THAT(load_file("/").errors, SizeIs(1));
  EXPECT_THAT(load_file("/nonexistent/plan.yaml").errors, SizeIs(1));
}

TEST(Loader, reads_the_quickstart) {
  const auto result = load_file(SPILLWAY_SOURCE_DIR "/examples/quickstart/spillway.yaml");
  EXPECT_THAT(lines(result.errors), IsEmpty());
  EXPECT_THAT(lines(result.warnings), IsEmpty());
  ASSERT_TRUE(result.plan);
  EXPECT_EQ(result.plan->folder, SPILLWAY_SOURCE_DIR "/examples/quickstart");
}

TEST(Plan, is_made_from_a_command_or_an_address) {
  const auto command = from_command({"node", "server.js"});
  ASSERT_TRUE(command);
  EXPECT_TRUE(command->services.at("web").is_supervised());
  EXPECT_EQ(command->routes.at(0).service, "web");
  EXPECT_FALSE(from_command({}));

  for (const char* address :
       {"127.0.0.1:3000", "http://127.0.0.1:3000/", "3000", "localhost:3000", "unix:/run/x.sock"}) {
    EXPECT_TRUE(to_address(address)) << address;
  }
  for (const char* address : {"", "127.0.0.1", "127.0.0.1:0", "99999", "https://x:1", "a b:1"}) {
    EXPECT_FALSE(to_address(address)) << address;
  }
  EXPECT_EQ(to_string(to_address("3000")->services.at("web").endpoints[0].address),
            "127.0.0.1:3000");
}

}  // namespace
}  // namespace spillway::plan
