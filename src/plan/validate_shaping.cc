// plan/validate_shaping.cc: names of fields, forms of addresses and origins.
#include "plan/validate_shaping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include "base/token.h"
#include "plan/document.h"
#include "plan/problem.h"

namespace spillway::plan {
namespace {

void check_names(const std::map<std::string, gateway::ValueTemplate>& fields,
                 const std::string& path, const Complain& complain) {
  for (const auto& [name, value] : fields) {
    if (const auto field = gateway::ChangedField::parse(name); !field) {
      complain(child_path(path, name), field.error().detail);
    }
  }
}

void check_tokens(const std::vector<std::string>& names, std::string_view what,
                  const std::string& path, const Complain& complain) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (is_token(names[i])) continue;
    complain(item_path(path, i),
             fmt::format("{} is not a name of a {}", in_quotes(names[i]), what));
  }
}

// Scheme and authority and nothing more (RFC 6454 section 6.2).
bool is_origin(std::string_view origin) {
  if (origin == "*") return true;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!origin.starts_with(scheme)) continue;
    std::string_view host = origin.substr(scheme.size());
    if (host.starts_with("*.")) host.remove_prefix(2);
    return !host.empty() && host.find_first_of("/*?#@ ") == std::string_view::npos;
  }
  return false;
}

// A fixed path that is normal: what is forwarded has one form.
void check_path(const std::optional<std::string>& given, const std::string& path,
                const Complain& complain) {
  if (!given) return;
  const auto parsed = gateway::PathPattern::parse(*given);
  if (!parsed) return complain(path, parsed.error().detail);
  if (parsed->is_prefix()) complain(path, "ends in a star; expected a path such as /v2");
}

void check_redirect(const gateway::RedirectConfig& redirect, const std::string& path,
                    const Complain& complain) {
  constexpr std::array<uint32_t, 4> statuses = {301, 302, 307, 308};
  const std::string_view to = redirect.to.text;
  const bool is_address = to.starts_with("/") || to.starts_with("{path}") ||
                          to.starts_with("{scheme}://") || to.starts_with("https://") ||
                          to.starts_with("http://");
  if (!is_address) {
    complain(path + ".to", fmt::format("{} is no address; expected one such as "
                                       "https://shop.example{{path}}{{query}} or /new",
                                       in_quotes(to)));
  } else if (to.starts_with("//") || to.find("/{path}") != std::string_view::npos) {
    // "//evil.example" would name another host.
    complain(path + ".to", "would begin a path with two slashes; {path} has its own");
  }
  if (std::ranges::find(statuses, redirect.status) == statuses.end()) {
    complain(path + ".status", fmt::format("{} is not 301, 302, 307 or 308", redirect.status));
  }
}

void check_rewrite(const gateway::RewriteConfig& rewrite, const std::string& path,
                   const Complain& complain) {
  check_path(rewrite.strip_prefix, path + ".strip_prefix", complain);
  check_path(rewrite.add_prefix, path + ".add_prefix", complain);
  check_path(rewrite.path, path + ".path", complain);
  for (const auto& [name, prefix] : {std::pair("strip_prefix", rewrite.strip_prefix),
                                     std::pair("add_prefix", rewrite.add_prefix)}) {
    if (prefix && prefix->ends_with('/')) {
      complain(path + "." + name, "ends in a slash; expected a prefix such as /api");
    }
  }
  if (rewrite.path && rewrite.strip_prefix) {
    complain(path, "has both `path` and `strip_prefix`; `path` takes the place of all of it");
  }
  if (rewrite.host &&
      (rewrite.host->empty() || rewrite.host->find_first_of("/@ \\?#") != std::string::npos)) {
    complain(path + ".host", "is not a host such as internal.example or internal.example:8080");
  }
}

// Whether one folder is the other, or below it.
bool is_within(const std::string& inner, const std::string& outer) {
  const auto normal = [](const std::string& text) {
    return (std::filesystem::path("/plan") / text / "").lexically_normal().string();
  };
  return normal(inner).starts_with(normal(outer));
}

}  // namespace

void check_value(std::string_view value, const std::string& path, const Complain& complain) {
  if (is_field_text(value)) return;
  complain(path,
           "has a character that no header may have, such as a line break; `>-` makes one line of "
           "several in YAML");
}

void check_headers(const gateway::HeaderRules& rules, const std::string& path,
                   const Complain& complain) {
  check_names(rules.set, path + ".set", complain);
  check_names(rules.add, path + ".add", complain);
}

void check_cors(const gateway::CorsConfig& cors, const std::string& path,
                const Complain& complain) {
  if (cors.origins.empty()) complain(path + ".origins", "is empty; expected at least one origin");
  check_tokens(cors.methods, "method", path + ".methods", complain);
  check_tokens(cors.headers, "header", path + ".headers", complain);
  check_tokens(cors.expose, "header", path + ".expose", complain);
  for (size_t i = 0; i < cors.origins.size(); ++i) {
    const std::string place = item_path(path + ".origins", i);
    if (!is_origin(cors.origins[i])) {
      complain(place, fmt::format("{} is no origin; expected one such as https://app.example, "
                                  "without a path",
                                  in_quotes(cors.origins[i])));
    } else if (cors.origins[i] == "*" && cors.credentials) {
      complain(place, "is everybody, who must not have `credentials`");
    }
  }
}

void check_security_headers(const gateway::SecurityHeadersConfig& headers, const std::string& path,
                            const Complain& complain) {
  for (const auto& [name, value] : headers.fields()) {
    std::string field(name.starts_with("x-") ? name.substr(2) : name);
    std::ranges::replace(field, '-', '_');
    check_value(value, path + "." + field, complain);
  }
}

void check_compress(const gateway::CompressConfig& compress, const std::string& path,
                    const Complain& complain) {
  constexpr std::string_view off = "; without it write `compress: off`";
  if (compress.encodings.empty()) {
    complain(path + ".encodings",
             fmt::format("is empty; expected at least one of {}{}",
                         fmt::join(enum_names(http::ContentCoding{}), ", "), off));
  }
  if (compress.types.empty()) {
    complain(path + ".types", fmt::format("is empty; expected media types such as text/*{}", off));
  }
}

void check_error_pages(const std::vector<gateway::ErrorPageConfig>& pages, const std::string& path,
                       const Complain& complain) {
  if (pages.size() > gateway::error_pages_max) {
    complain(path, fmt::format("has {} pages; expected at most {}", pages.size(),
                               gateway::error_pages_max));
  }
  for (size_t i = 0; i < pages.size(); ++i) {
    if (pages[i].status == upstream::StatusRanges{} || pages[i].status.lowest() >= 400) continue;
    complain(item_path(path, i) + ".status",
             fmt::format("{} has statuses that are no errors; expected 400 to 599",
                         to_string(pages[i].status)));
  }
}

void check_split(const gateway::SplitConfig& split, const std::string& path,
                 const Complain& complain) {
  using Kind = gateway::LimitKey::Kind;
  if (split.by.kind == Kind::route || split.by.kind == Kind::all) {
    complain(path + ".by",
             "is the same for all requests; expected ip, user, header:NAME or "
             "cookie:NAME");
  }
  const std::string list = path + ".to";
  if (split.to.size() < 2 || split.to.size() > gateway::split_targets_max) {
    return complain(list, fmt::format("has {} service{}; expected 2 to {}", split.to.size(),
                                      split.to.size() == 1 ? "" : "s", gateway::split_targets_max));
  }
  const gateway::SplitTarget& first = split.to.front();
  if (first.share || !first.headers.empty() || !first.cookies.empty()) {
    complain(item_path(list, 0),
             "is the service to fall back to, which gets what the others leave; expected no "
             "`share`, `headers` or `cookies`");
  }
  double sum = 0;
  std::set<std::string_view> seen;
  for (size_t side = 0; side < split.to.size(); ++side) {
    const gateway::SplitTarget& target = split.to[side];
    if (target.share) sum += target.share->of_one;
    const std::string place = item_path(list, side);
    if (!seen.insert(target.service).second) {
      complain(place + ".service", fmt::format("\"{}\" is listed twice", target.service));
    }
    for (const auto& [kind, conditions] :
         {std::pair("headers", &target.headers), std::pair("cookies", &target.cookies)}) {
      for (const auto& [name, value] : *conditions) {
        if (is_token(name)) continue;
        complain(child_path(place + "." + kind, name),
                 fmt::format("{} is not a name of a {}", in_quotes(name),
                             std::string_view(kind) == "headers" ? "header" : "cookie"));
      }
    }
  }
  if (sum > 1 + 1e-9) {
    complain(list, fmt::format("shares {:.4g}% in all; expected at most 100%", sum * 100));
  }
}

void check_files(const gateway::FilesConfig& files, const std::string& path,
                 const Complain& complain) {
  if (files.folder.empty())
    complain(path + ".folder", "is empty; expected a folder such as ./public");
  if (files.index.empty() || files.index.contains('/')) {
    complain(path + ".index", "is not a name of a file such as index.html");
  }
  if (files.keep && (files.keep->folder.empty() || is_within(files.keep->folder, files.folder))) {
    complain(path + ".keep.folder",
             "lies in the folder that is served; expected one beside it, such as ./.kept");
  }
  if (files.fallback && (files.fallback->empty() || files.fallback->starts_with('/'))) {
    complain(path + ".fallback", "is not a path within the folder such as index.html");
  }
  for (size_t i = 0; i < files.immutable.size(); ++i) {
    const std::string& pattern = files.immutable[i];
    const size_t star = pattern.find('*');
    if (pattern.starts_with('/') && (star == std::string::npos || star + 1 == pattern.size())) {
      continue;
    }
    complain(item_path(path + ".immutable", i),
             fmt::format("{} is not a path such as /assets/*, with a star at its end or none",
                         in_quotes(pattern)));
  }
}

void check_cache(const gateway::RouteConfig& route, const std::string& path,
                 const Complain& complain) {
  const gateway::RouteCacheConfig& cache = *route.cache;
  if (route.service.empty()) {
    complain(path,
             "is for routes with a `service`; of files browsers keep what `files: { max_age, "
             "immutable }` says");
  }
  if (cache.overrides && !cache.ttl && !cache.negative_ttl) {
    complain(path + ".overrides", "keeps nothing without a `ttl` or a `negative_ttl`");
  }
  if (cache.key.user && route.callers.auth.empty()) {
    complain(path + ".key.user", "needs `auth` on the route: without it nobody has a name");
  }
  check_tokens(cache.key.headers, "header", path + ".key.headers", complain);
  check_tokens(cache.key.cookies, "cookie", path + ".key.cookies", complain);
  check_tokens(cache.bypass.headers, "header", path + ".bypass.headers", complain);
  check_tokens(cache.bypass.cookies, "cookie", path + ".bypass.cookies", complain);
}

void check_shaping(const gateway::RouteConfig& route, const std::string& path,
                   const Complain& complain) {
  if (route.cache) check_cache(route, path + ".cache", complain);
  check_headers(route.request_headers, path + ".request_headers", complain);
  check_headers(route.response_headers, path + ".response_headers", complain);
  if (route.cors) check_cors(*route.cors, path + ".cors", complain);
  if (route.rewrite) check_rewrite(*route.rewrite, path + ".rewrite", complain);
  if (!route.redirect) return;
  check_redirect(*route.redirect, path + ".redirect", complain);
  if (route.rewrite) complain(path, "has both `redirect` and `rewrite`; expected one of them");
}

}  // namespace spillway::plan
