// gateway/filters/rewrites.cc: prefixes off and on.
#include "gateway/filters/rewrites.h"

#include <algorithm>

namespace spillway::gateway {
namespace {

constexpr std::string_view prefix_field = "x-forwarded-prefix";

// "/api" off "/api/x" is "/x", off "/api" it is "/"; "/apix" has no such prefix.
std::string_view without_prefix(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return path;
  const std::string_view rest = path.substr(prefix.size());
  if (rest.empty()) return "/";
  return rest.front() == '/' ? rest : path;
}

}  // namespace

Verdict Rewrites::on_request(RequestContext& context) const {
  const auto& rewrite = context.route->rewrite;
  if (!rewrite) return Verdict::go_on;
  if (rewrite->host) context.upstream_host = *rewrite->host;
  std::string_view path = context.path;
  if (rewrite->path) path = *rewrite->path;
  if (rewrite->strip_prefix) {
    const std::string_view rest = without_prefix(path, *rewrite->strip_prefix);
    http::HeaderList& fields = context.exchange.request().fields;
    fields.remove(prefix_field);
    if (rest.data() != path.data() && !fields.add(prefix_field, *rewrite->strip_prefix)) {
      return context.end_with({.status = 431, .text = "too many header fields"});
    }
    path = rest;
  }
  if (rewrite->add_prefix) {
    const std::string_view prefix = *rewrite->add_prefix;
    const std::span<char> space = context.scratch.space_for(prefix.size() + path.size());
    if (prefix.size() + path.size() > space.size()) {
      return context.end_with({.status = 414, .text = "the address is too long"});
    }
    const auto end = std::ranges::copy(prefix, space.begin()).out;
    std::ranges::copy(path, end);
    path = {space.data(), prefix.size() + path.size()};
    context.scratch.use(path.size());
  }
  context.upstream_path = path;
  return Verdict::go_on;
}

}  // namespace spillway::gateway
