// plan/validate_shaping.cc: names of fields, forms of addresses and origins.
#include "plan/validate_shaping.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

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

}  // namespace

void check_headers(const gateway::HeaderRules& rules, const std::string& path,
                   const Complain& complain) {
  check_names(rules.set, path + ".set", complain);
  check_names(rules.add, path + ".add", complain);
}

void check_cors(const gateway::CorsConfig& cors, const std::string& path,
                const Complain& complain) {
  if (cors.origins.empty()) complain(path + ".origins", "is empty; expected at least one origin");
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

void check_shaping(const gateway::RouteConfig& route, const std::string& path,
                   const Complain& complain) {
  check_headers(route.request_headers, path + ".request_headers", complain);
  check_headers(route.response_headers, path + ".response_headers", complain);
  if (route.cors) check_cors(*route.cors, path + ".cors", complain);
  if (route.rewrite) check_rewrite(*route.rewrite, path + ".rewrite", complain);
  if (!route.redirect) return;
  check_redirect(*route.redirect, path + ".redirect", complain);
  if (route.rewrite) complain(path, "has both `redirect` and `rewrite`; expected one of them");
}

}  // namespace spillway::plan
