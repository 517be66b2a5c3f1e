// gateway/gateway.cc: the straight line that every request follows.
#include "gateway/gateway.h"

#include <fmt/format.h>

#include "gateway/explain.h"
#include "gateway/filters/client_identity.h"
#include "gateway/filters/filter_names.h"
#include "gateway/filters/loop_guard.h"
#include "gateway/filters/method_policy.h"
#include "gateway/filters/tracing.h"
#include "http/hop_by_hop.h"
#include "http/path.h"

namespace spillway::gateway {

using http::Field;
using runtime::Task;

namespace {

constexpr uint64_t active_users_seed = 0x5350494C4C574159;  // Only spreads the keys.

// The filters in running order, each with the reason for its place.
std::vector<std::unique_ptr<Filter>> make_filters(const GatewayParts& parts,
                                                  const ClientsConfig& clients) {
  std::vector<std::unique_ptr<Filter>> filters;
  filters.push_back(std::make_unique<LoopGuard>(parts.via));  // Before a loop does any work.
  filters.push_back(
      std::make_unique<ClientIdentity>(clients.trusted_proxies));  // All after it use it.
  filters.push_back(
      std::make_unique<Tracing>(clients.trusted_proxies));  // Names what goes upstream.
  CHECK(filters.size() + 1 == filter_names.size());  // The method policy comes before the path.
  return filters;
}

std::vector<std::string> labels_of(const RouteTable& table) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < table.size(); ++i) labels.push_back(route_label(table.route(i)));
  return labels;
}

}  // namespace

Routing::Routing(std::vector<RouteConfig> routes,
                 std::vector<std::shared_ptr<Service>> its_services, ClientsConfig its_clients)
    : table(std::move(routes)),
      services(std::move(its_services)),
      labels(labels_of(table)),
      clients(std::move(its_clients)) {
  CHECK(services.size() == table.size());
}

Gateway::Generation::Generation(const GatewayParts& parts,
                                std::shared_ptr<const Routing> its_routing)
    : routing(std::move(its_routing)),
      scope(parts.families.registry),
      filters(make_filters(parts, routing->clients)),
      unrouted(parts.families, scope, "none", "none", parts.loop.core()) {
  for (size_t i = 0; i < routing->table.size(); ++i) {
    metrics.push_back(std::make_unique<RouteMetrics>(parts.families, scope, routing->labels[i],
                                                     routing->services[i]->name(),
                                                     parts.loop.core()));
  }
}

Gateway::Gateway(const GatewayParts& parts, std::shared_ptr<const Routing> routing)
    : parts_(parts), proxy_(parts.loop, parts.families.registry, parts.via, parts.proxy) {
  use(std::move(routing));
}

void Gateway::use(std::shared_ptr<const Routing> routing) {
  generation_ = std::make_shared<Generation>(parts_, std::move(routing));
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
    if (metrics_ != nullptr) {
      metrics_->end(exchange.request().method, exchange.status(), took,
                    exchange.body_bytes_received(), exchange.body_bytes_sent());
    }
    if (gateway_.parts_.access_log != nullptr) log(took);
  }
  void begin(RouteMetrics& metrics) {
    metrics_ = &metrics;
    metrics.begin();
  }

 private:
  void log(Duration took);
  Gateway& gateway_;
  const RequestContext& context_;
  RouteMetrics* metrics_ = nullptr;
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
      .host = context_.host,
      .path = context_.path.empty() ? request.path : context_.path,
      .query = request.query,
      .route = metrics_ == nullptr ? std::string_view{} : metrics_->route(),
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
  Record record(*this, context);

  if (const auto refusal = check_method(exchange)) {
    record.begin(generation->unrouted);
    co_return co_await refuse(exchange, *refusal);
  }
  // One form of the path is matched, authorised, cached and forwarded.
  const http::RequestHead& request = exchange.request();
  const auto path = http::normalise_path(request.path, scratch.space());
  if (!path) {
    record.begin(generation->unrouted);
    co_return co_await refuse(exchange, {.status = path.error().status, .text = path.error().text});
  }
  context.path = *path;
  if (path->data() != request.path.data()) scratch.use(path->size());

  RouteMetrics* metrics = &generation->unrouted;
  std::string allowed;
  auto refusal = route(context, *generation, metrics, allowed);
  record.begin(*metrics);
  if (!refusal && !http::remove_hop_by_hop(exchange.request().fields)) {
    refusal = Refusal{.status = 400, .text = "too many options in Connection"};
  }
  for (const auto& filter : generation->filters) {
    if (refusal) break;
    refusal = filter->on_request(context);
  }
  if (refusal) co_return co_await refuse(exchange, *refusal);

  parts_.active_users.add(telemetry::client_key(context.client, active_users_seed),
                          parts_.loop.now());
  co_await proxy_.forward(context, *metrics);
}

std::optional<Refusal> Gateway::route(RequestContext& context, const Generation& generation,
                                      RouteMetrics*& metrics, std::string& allowed) const {
  const http::RequestHead& request = context.exchange.request();
  const RouteQuestion question{.host = request.host,
                               .path = context.path,
                               .query = request.query,
                               .method = request.method,
                               .method_text = request.method_text,
                               .fields = &request.fields};
  const size_t number = generation.routing->table.match(question);
  if (number != RouteTable::none) {
    metrics = generation.metrics[number].get();
    context.route = &generation.routing->table.route(number);
    context.service = generation.routing->services[number].get();
    return std::nullopt;
  }
  allowed = generation.routing->table.allowed_methods(question);
  if (allowed.empty()) return Refusal{.status = 404, .text = "no route matches this request"};
  return Refusal{.status = 405,
                 .text = "this method is not served here",
                 .field_name = "allow",
                 .field_value = allowed};
}

Task<void> Gateway::refuse(http::Exchange& exchange, const Refusal& refusal) {
  http::HeaderList fields;
  if (!refusal.field_name.empty()) CHECK(fields.add(refusal.field_name, refusal.field_value));
  const std::string text =
      fmt::format("{} {}: {}\n", refusal.status, http::reason_of(refusal.status), refusal.text);
  // A client that cannot be told is gone, and that is all there is to it.
  (void)co_await exchange.respond(refusal.status, "text/plain", text, &fields);
}

}  // namespace spillway::gateway
