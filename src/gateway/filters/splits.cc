// gateway/filters/splits.cc: what a client asks for, or the place where its hash lies.
#include "gateway/filters/splits.h"

#include "gateway/balance_key.h"
#include "upstream/hash.h"

namespace spillway::gateway {
namespace {

const SplitChanges none;

uint64_t hash_of_client(const RequestContext& context, const LimitKey& by) {
  const http::HeaderList& fields = context.exchange.request().fields;
  if (by.kind == LimitKey::Kind::user && !context.user.empty()) {
    return upstream::hash_of(context.user);
  }
  if (by.kind == LimitKey::Kind::header) {
    const http::HeaderField* field = fields.find(by.name);
    if (field != nullptr) return upstream::hash_of(field->value);
  }
  if (by.kind == LimitKey::Kind::cookie) {
    if (const auto value = cookie_value(fields, by.name)) return upstream::hash_of(*value);
  }
  // Hosts change the lower half of an IPv6 address as they like (RFC 8981).
  const auto& bytes = context.client.bytes();
  return upstream::hash_of({reinterpret_cast<const char*>(bytes.data()),
                            context.client.is_v4() ? bytes.size() : bytes.size() / 2});
}

double point_of(uint64_t hash) { return static_cast<double>(hash >> 11) * 0x1p-53; }

}  // namespace

Splits::Splits(const GatewayParts& parts, const Routing& routing)
    : switches_(parts.switches), routing_(routing) {
  for (const RouteConfig& route : routing.config.routes) {
    std::string names;
    if (route.split) {
      for (const SplitTarget& target : route.split->to) names += target.service + "\n";
    }
    salts_.push_back(upstream::hash_of(names));
  }
}

Verdict Splits::on_request(RequestContext& context) const {
  const auto& split = context.route->split;
  if (!split) return Verdict::go_on;
  const SplitChanges& changes = switches_ == nullptr ? none : switches_->splits;
  size_t side = side_by_fields(*split, changes, context.exchange.request().fields);
  if (side == 0 && shares_of(*split, changes) > 0) {
    const uint64_t hash = hash_of_client(context, split->by);
    side = side_by_share(*split, changes,
                         point_of(upstream::mix(hash ^ salts_[context.route_number])));
  }
  if (side == 0) return Verdict::go_on;
  context.service = routing_.services[context.route_number][side].get();
  // Both count the requests in flight of the same route.
  context.metrics = context.sides[side].get();
  return Verdict::go_on;
}

}  // namespace spillway::gateway
