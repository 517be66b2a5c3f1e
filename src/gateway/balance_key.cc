// gateway/balance_key.cc: reading keys from headers, cookies and addresses.
#include "gateway/balance_key.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "gateway/service.h"
#include "upstream/hash.h"

namespace spillway::gateway {

using http::Field;
using upstream::Balance;

namespace {

std::optional<uint64_t> hash_key(const RequestContext& context, const Balance& balance) {
  const http::HeaderList& fields = context.exchange.request().fields;
  switch (balance.hash_by) {
    case Balance::HashBy::nothing: return std::nullopt;
    case Balance::HashBy::header: {
      const http::HeaderField* field = fields.find(balance.hash_name);
      if (field == nullptr) return std::nullopt;
      return upstream::hash_of(field->value);
    }
    case Balance::HashBy::cookie: {
      const auto value = cookie_value(fields, balance.hash_name);
      if (!value) return std::nullopt;
      return upstream::hash_of(*value);
    }
    case Balance::HashBy::ip: {
      const auto& bytes = context.client.bytes();
      return upstream::hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> cookie_value(const http::HeaderList& fields,
                                             std::string_view name) {
  if (!fields.has(Field::cookie)) return std::nullopt;
  for (const http::HeaderField& field : fields) {
    if (field.id != Field::cookie) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const size_t end = rest.find(';');
      const std::string_view pair = trimmed(rest.substr(0, end));
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      const size_t equals = pair.find('=');
      if (equals == name.size() && pair.substr(0, equals) == name) return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

BalanceKey balance_key(const RequestContext& context) {
  const upstream::ClusterConfig& config = context.service->config();
  BalanceKey key;
  key.hash = hash_key(context, config.balance);
  if (config.sticky) {
    const auto cookie = cookie_value(context.exchange.request().fields, config.sticky->cookie);
    if (cookie) key.sticky = upstream::parse_sticky(*cookie);
  }
  return key;
}

bool add_sticky_cookie(RequestContext& context, const upstream::Ticket& ticket,
                       http::HeaderList& fields) {
  const auto& sticky = context.service->config().sticky;
  if (!sticky || balance_key(context).sticky == ticket.identity) return true;
  const std::span<char> space = context.scratch.space();
  auto written =
      fmt::format_to_n(space.data(), space.size(), "{}={}; Path=/; HttpOnly; SameSite=Lax",
                       sticky->cookie, upstream::sticky_text(ticket.identity));
  size_t size = written.size;
  if (sticky->ttl && size <= space.size()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*sticky->ttl).count();
    size += fmt::format_to_n(written.out, space.size() - size, "; Max-Age={}", seconds).size;
  }
  if (size > space.size()) return true;  // Without its cookie the client is still served.
  context.scratch.use(size);
  return fields.add(Field::set_cookie, {space.data(), size});
}

}  // namespace spillway::gateway
