// gateway/filters/client_identity.cc: the forwarding fields, read and written.
#include "gateway/filters/client_identity.h"

#include <algorithm>

#include "http/forwarded.h"

namespace spillway::gateway {

namespace {

// How far into `space` the views reach that were written there.
size_t used_of(std::span<const char> space, const http::ForwardedOutput& output) {
  size_t used = 0;
  for (const std::string_view view :
       {output.real_ip, output.x_forwarded_for, output.forwarded, output.scheme, output.host}) {
    const bool is_inside = view.data() >= space.data() && view.data() < space.data() + space.size();
    if (is_inside)
      used = std::max(used, static_cast<size_t>(view.data() + view.size() - space.data()));
  }
  return used;
}

}  // namespace

Verdict ClientIdentity::on_request(RequestContext& context) const {
  http::Exchange& exchange = context.exchange;
  http::RequestHead& request = exchange.request();
  const http::ForwardedInput input{.peer = exchange.client().peer.ip,
                                   .trusted = trusted_,
                                   .scheme = exchange.client().is_secure ? "https" : "http",
                                   .authority = request.authority,
                                   .with_forwarded = request.fields.has(http::Field::forwarded)};
  http::ForwardedOutput output;
  const LocalReply too_long{.status = 431, .text = "the forwarding fields are too long"};
  if (!http::resolve_forwarded(input, request.fields, context.scratch.space(), output)) {
    return context.end_with(too_long);
  }
  context.scratch.use(used_of(context.scratch.space(), output));
  context.client = output.client;
  context.scheme = output.scheme;
  context.host = output.host;

  http::remove_forwarded(request.fields, output.peer_is_trusted);
  bool fits = request.fields.add(http::Field::x_forwarded_for, output.x_forwarded_for) &&
              request.fields.add(http::Field::x_forwarded_proto, output.scheme) &&
              request.fields.add(http::Field::x_real_ip, output.real_ip);
  if (!output.host.empty()) fits &= request.fields.add(http::Field::x_forwarded_host, output.host);
  if (!output.forwarded.empty()) {
    fits &= request.fields.add(http::Field::forwarded, output.forwarded);
  }
  if (!fits) return context.end_with(too_long);
  return Verdict::go_on;
}

}  // namespace spillway::gateway
