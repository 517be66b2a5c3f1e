// gateway/gateway.cc: the straight line that every request follows.
#include "gateway/gateway.h"

#include "gateway/explain.h"
#include "gateway/filters/cors.h"
#include "gateway/filters/filter_list.h"
#include "gateway/filters/method_policy.h"
#include "http/hop_by_hop.h"
#include "http/path.h"

namespace spillway::gateway {

using http::Field;
using runtime::Task;

namespace {

constexpr uint64_t active_users_seed = 0x5350494C4C574159;  // Only spreads the keys.

std::vector<std::string> labels_of(const RouteTable& table) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < table.size(); ++i) labels.push_back(route_label(table.route(i)));
  return labels;
}

std::vector<std::vector<std::shared_ptr<Service>>> services_of(
    const RouteTable& table, const std::map<std::string, std::shared_ptr<Service>>& services) {
  std::vector<std::vector<std::shared_ptr<Service>>> result;
  for (size_t i = 0; i < table.size(); ++i) {
    const RouteConfig& route = table.route(i);
    auto& sides = result.emplace_back();
    if (route.split) {
      for (const SplitTarget& target : route.split->to)
        sides.push_back(services.at(target.service));
    } else if (!route.service.empty()) {
      sides.push_back(services.at(route.service));
    }
  }
  return result;
}

}  // namespace

Routing::Routing(RoutingParts parts)
    : config(std::move(parts.config)),
      table(config.routes),
      services(services_of(table, parts.services)),
      limits(std::move(parts.limits)),
      labels(labels_of(table)),
      identity(std::move(parts.identity)),
      authority(std::move(parts.authority)),
      pages(std::move(parts.pages)) {}

Gateway::Generation::Generation(const GatewayParts& parts,
                                std::shared_ptr<const Routing> its_routing, Proxy& proxy,
                                CacheFetches& fetches)
    : routing(std::move(its_routing)),
      scope(parts.families.registry),
      filters(make_filters(parts, *routing, scope, proxy.pool())),
      files(parts, *routing, scope),
      cache(parts, *routing, scope, proxy, fetches),
      unrouted(parts.families, scope, "none", "none", parts.loop.core()) {
  for (size_t i = 0; i < routing->table.size(); ++i) {
    auto& sides = metrics.emplace_back();
    const auto add = [&](const std::string& service) {
      sides.push_back(std::make_unique<RouteMetrics>(parts.families, scope, routing->labels[i],
                                                     service, parts.loop.core()));
    };
    for (const auto& service : routing->services[i]) add(service->name());
    if (sides.empty()) add("none");
  }
}

Gateway::Gateway(const GatewayParts& parts, std::shared_ptr<const Routing> routing)
    : parts_(parts),
      proxy_(parts.loop, parts.families.registry, parts.via, parts.proxy),
      fetches_(parts.loop) {
  use(std::move(routing));
}

void Gateway::use(std::shared_ptr<const Routing> routing) {
  generation_ = std::make_shared<Generation>(parts_, std::move(routing), proxy_, fetches_);
}

Task<Result<void>> Gateway::close(Deadline deadline) {
  auto fetched = co_await fetches_.close(deadline);
  auto closed = co_await proxy_.close(deadline);
  co_return fetched ? std::move(closed) : std::move(fetched);
}

// Counts and logs a request when it is over, however it ends.
class Gateway::Record {
 public:
  Record(Gateway& gateway, const RequestContext& context) : gateway_(gateway), context_(context) {}
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record() {
    http::Exchange& exchange = context_.exchange;
    const Duration took = gateway_.parts_.loop.now() - exchange.started();
    if (context_.metrics != nullptr) {
      context_.metrics->end(exchange.request().method, exchange.status(), took,
                            exchange.body_bytes_received(), exchange.body_bytes_sent());
    }
    if (gateway_.parts_.access_log != nullptr) log(took);
  }
  void begin() { context_.metrics->begin(); }

 private:
  void log(Duration took);
  Gateway& gateway_;
  const RequestContext& context_;
};

void Gateway::Record::log(Duration took) {
  http::Exchange& exchange = context_.exchange;
  const http::RequestHead& request = exchange.request();
  std::array<char, 46> client_text;
  std::array<char, http::TraceContext::text_size> trace_text;
  context_.trace.write(trace_text);
  std::array<char, telemetry::access_line_bytes_max> line;
  const telemetry::AccessRecord record{
      .time = gateway_.parts_.loop.wall_now() - took,
      .method = request.method_text,
      .protocol = request.protocol(),
      .scheme = context_.scheme,
      .host = context_.host,
      .path = context_.path.empty() ? request.path : context_.path,
      .query = request.query,
      .route = context_.metrics == nullptr ? std::string_view{} : context_.metrics->route(),
      .service = context_.service == nullptr ? std::string_view{} : context_.service->name(),
      .endpoint = context_.endpoint,
      .status = exchange.status(),
      .bytes_in = exchange.body_bytes_received(),
      .bytes_out = exchange.body_bytes_sent(),
      .duration = took,
      .upstream_duration = context_.upstream_duration,
      .retries = context_.retries,
      .hedges = context_.hedges,
      .client_ip = {client_text.data(), write_ip(context_.client, client_text.data())},
      .user = context_.user,
      .user_agent = request.fields.value(Field::user_agent),
      .request_id = context_.request_id,
      .trace_id = context_.request_id.empty()
                      ? std::string_view{}
                      : std::string_view(trace_text.data(), trace_text.size()).substr(3, 32),
      .error = context_.has_failed ? std::string_view(context_.error.detail) : std::string_view{}};
  gateway_.parts_.access_log->append({line.data(), telemetry::format_access_line(record, line)});
}

// What was refused before it was a request is counted and logged like one that no route took.
void Gateway::on_refused(const http::RefusedRequest& refused) {
  const auto method = refused.head == nullptr ? http::Method::other : refused.head->method;
  generation_->unrouted.begin();
  generation_->unrouted.end(method, refused.status, refused.took, 0, 0);
  if (parts_.access_log == nullptr) return;
  std::array<char, 46> client_text;
  std::array<char, telemetry::access_line_bytes_max> line;
  telemetry::AccessRecord record{
      .time = parts_.loop.wall_now() - refused.took,
      .route = generation_->unrouted.route(),
      .status = refused.status,
      .duration = refused.took,
      .client_ip = {client_text.data(), write_ip(refused.client.peer.ip, client_text.data())},
      .error = refused.reason};
  if (refused.head != nullptr) {
    record.method = refused.head->method_text;
    record.protocol = refused.head->protocol();
    record.scheme = refused.client.is_secure ? "https" : "http";
    record.host = refused.head->authority;
    record.path = refused.head->path;
    record.query = refused.head->query;
    record.user_agent = refused.head->fields.value(Field::user_agent);
  }
  parts_.access_log->append({line.data(), telemetry::format_access_line(record, line)});
}

Task<void> Gateway::serve(http::Exchange& exchange) {
  const std::shared_ptr<Generation> generation = generation_;  // A reload does not change it.
  Scratch scratch;
  RequestContext context(exchange, scratch);
  context.answer.pass_through(generation->filters.answer);
  context.answer.show_errors_by(generation->routing->pages.get());
  Record record(*this, context);

  context.metrics = &generation->unrouted;
  const Verdict routed = route(context, *generation);
  record.begin();
  Verdict verdict = Verdict::go_on;
  // Whom we do not serve learns nothing of our routes.
  for (const auto& filter : generation->filters.door) {
    if (verdict == Verdict::go_on) verdict = filter->on_request(context);
  }
  if (verdict == Verdict::go_on) verdict = routed;
  for (const auto& filter : generation->filters.request) {
    if (verdict != Verdict::go_on) break;
    verdict = filter->on_request(context);
    if (verdict == Verdict::wait) verdict = co_await filter->finish_request(context);
  }
  if (verdict == Verdict::reply) {
    // A client that cannot be told is gone, and that is all there is to it.
    (void)co_await context.answer.send(context, context.reply);
  } else {
    parts_.active_users.add(context.user.empty()
                                ? telemetry::client_key(context.client, active_users_seed)
                                : telemetry::client_key(context.user, active_users_seed),
                            parts_.loop.now());
    const bool is_file = context.route->files && co_await generation->files.serve(context);
    CHECK(is_file || context.service != nullptr);  // A route without one has been answered.
    const bool is_cached = !is_file && context.route->cache && parts_.cache != nullptr;
    if (is_cached) {
      co_await generation->cache.serve(context, generation);
    } else if (!is_file) {
      co_await proxy_.forward(context, *context.metrics);
    }
  }
  // A step of the answer had no room for what it adds: here, so that it is counted as what it is.
  if (!exchange.response_started() && !exchange.is_abandoned()) {
    exchange.close_after();
    (void)co_await exchange.respond(500, "text/plain", "Internal Server Error\n");
  }
}

// One form of the path is matched, authorised, cached and forwarded.
Verdict Gateway::route(RequestContext& context, Generation& generation) {
  if (const Verdict verdict = check_method(context); verdict != Verdict::go_on) return verdict;
  http::RequestHead& request = context.exchange.request();
  auto path = http::normalise_path(request.path, context.scratch.space_for(request.path.size()));
  if (!path && path.error().status == 414) {  // Nearly all of it had to be escaped.
    path = http::normalise_path(request.path, context.scratch.space_for(3 * request.path.size()));
  }
  if (!path) {
    return context.end_with({.status = path.error().status, .text = path.error().text});
  }
  context.path = *path;
  if (path->data() != request.path.data()) context.scratch.use(path->size());
  context.upstream_path = context.path;

  // A browser's question is about the request that it would send.
  const bool is_asking = is_preflight(request);
  const std::string_view method =
      is_asking ? request.fields.find("access-control-request-method")->value : request.method_text;
  const RouteQuestion question{.host = request.host,
                               .path = context.path,
                               .query = request.query,
                               .method = is_asking ? http::method_from(method) : request.method,
                               .method_text = method,
                               .fields = &request.fields};
  const RouteTable& table = generation.routing->table;
  const size_t number = table.match(question);
  if (number == RouteTable::none) {
    std::string allowed = table.allowed_methods(question);
    if (allowed.empty()) {
      return context.end_with({.status = 404, .text = "no route matches this request"});
    }
    return context.end_with({.status = 405,
                             .text = "this method is not served here",
                             .fields = {{"allow", std::move(allowed)}}});
  }
  context.sides = generation.metrics[number];
  context.metrics = context.sides.front().get();
  context.route = &table.route(number);
  context.route_number = number;
  context.route_label = generation.routing->labels[number];
  const auto& services = generation.routing->services[number];
  context.service = services.empty() ? nullptr : services.front().get();
  if (!http::remove_hop_by_hop(request.fields)) {
    return context.end_with({.status = 400, .text = "too many options in Connection"});
  }
  return Verdict::go_on;
}

}  // namespace spillway::gateway
