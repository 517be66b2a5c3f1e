// gateway/route_table.cc: building and asking the index of routes.
#include "gateway/route_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/ascii.h"
#include "http/path.h"

namespace spillway::gateway {
namespace {

constexpr size_t host_bytes_max = 255;  // A DNS name is no longer (RFC 1035 section 2.3.4).

size_t segments_in(std::string_view prefix) {
  return static_cast<size_t>(std::ranges::count(prefix, '/'));
}

bool has_field(const http::HeaderList& fields, std::string_view name, std::string_view wanted) {
  for (const http::HeaderField& field : fields) {
    if (!equals_ignoring_case(field.name, name)) continue;
    if (wanted == "*" || field.value == wanted) return true;
  }
  return false;
}

bool has_parameter(std::string_view query, std::string_view name, std::string_view wanted) {
  http::QueryReader reader(query);
  while (const auto parameter = reader.next()) {
    if (!http::decodes_to(parameter->name, name)) continue;
    if (wanted == "*" || http::decodes_to(parameter->value, wanted)) return true;
  }
  return false;
}

}  // namespace

RouteTable::RouteTable(std::vector<RouteConfig> routes) : routes_(std::move(routes)) {
  for (size_t number = 0; number < routes_.size(); ++number) {
    const RouteConfig& route = routes_[number];
    Conditions conditions;
    for (const Method& method : route.methods) {
      const http::Method known = http::method_from(method.text);
      if (known == http::Method::other) conditions.other_methods.push_back(method.text);
      conditions.methods |= 1u << static_cast<unsigned>(known);
      // Whoever may GET may ask for the head of it (RFC 9110 section 9.3.2).
      if (known == http::Method::get) {
        conditions.methods |= 1u << static_cast<unsigned>(http::Method::head);
      }
    }
    conditions.has_fields = !route.headers.empty() || !route.query.empty();
    conditions_.push_back(std::move(conditions));

    HostRoutes& host = route.host.is_any() ? any_host_
                       : route.host.is_wildcard()
                           ? wildcard_hosts_[std::string(route.host.suffix())]
                           : exact_hosts_[route.host.text];
    if (route.path.is_prefix()) {
      const std::string prefix(route.path.prefix());
      host.prefix_segments_max = std::max(host.prefix_segments_max, segments_in(prefix));
      host.prefixes[prefix].push_back(static_cast<uint32_t>(number));
    } else {
      host.exact[route.path.text].push_back(static_cast<uint32_t>(number));
    }
  }
}

bool RouteTable::fits(size_t number, const RouteQuestion& question, bool ignoring_method) const {
  const Conditions& conditions = conditions_[number];
  if (conditions.methods != 0 && !ignoring_method) {
    if (!(conditions.methods & (1u << static_cast<unsigned>(question.method)))) return false;
    const bool is_other = question.method == http::Method::other;
    if (is_other && std::ranges::find(conditions.other_methods, question.method_text) ==
                        conditions.other_methods.end()) {
      return false;
    }
  }
  if (!conditions.has_fields) return true;
  for (const auto& [name, value] : routes_[number].headers) {
    if (question.fields == nullptr || !has_field(*question.fields, name, value)) return false;
  }
  for (const auto& [name, value] : routes_[number].query) {
    if (!has_parameter(question.query, name, value)) return false;
  }
  return true;
}

template <class Visit>
void RouteTable::for_each_path(const HostRoutes& host, std::string_view path, Visit&& visit) {
  const auto look_up = [&visit](const TextMap<Candidates>& map, std::string_view key) {
    if (const auto found = map.find(key); found != map.end()) visit(found->second);
  };
  if (!host.exact.empty()) look_up(host.exact, path);
  size_t segments = 0;
  for (size_t i = 0; i < path.size() && segments < host.prefix_segments_max; ++i) {
    if (path[i] != '/') continue;
    ++segments;
    look_up(host.prefixes, path.substr(0, i + 1));
  }
}

size_t RouteTable::match_in(const HostRoutes& host, const RouteQuestion& question) const {
  size_t best = none;
  for_each_path(host, question.path, [&](const Candidates& candidates) {
    for (const uint32_t number : candidates) {
      if (number >= best) return;
      if (fits(number, question, false)) {
        best = number;
        return;
      }
    }
  });
  return best;
}

// From the most specific host to the least; ends when `visit` returns true.
template <class Visit>
void RouteTable::for_each_host(std::string_view host, Visit&& visit) const {
  if (!exact_hosts_.empty() || !wildcard_hosts_.empty()) {
    std::array<char, host_bytes_max> buffer;
    if (host.size() <= buffer.size()) {
      std::ranges::transform(host, buffer.begin(), to_lower);
      std::string_view name(buffer.data(), host.size());
      if (name.ends_with('.')) name.remove_suffix(1);  // A fully qualified name is the same name.
      if (const auto it = exact_hosts_.find(name); it != exact_hosts_.end() && visit(it->second)) {
        return;
      }
      for (size_t dot = name.find('.'); dot != std::string_view::npos && !wildcard_hosts_.empty();
           dot = name.find('.', dot + 1)) {
        const auto it = wildcard_hosts_.find(name.substr(dot));
        if (it != wildcard_hosts_.end() && visit(it->second)) return;
      }
    }
  }
  visit(any_host_);
}

size_t RouteTable::match(const RouteQuestion& question) const {
  size_t best = none;
  for_each_host(question.host, [&](const HostRoutes& host) {
    best = match_in(host, question);
    return best != none;
  });
  return best;
}

std::string RouteTable::allowed_methods(const RouteQuestion& question) const {
  std::set<std::string> allowed;
  for_each_host(question.host, [&](const HostRoutes& host) {
    for_each_path(host, question.path, [&](const Candidates& candidates) {
      for (const uint32_t number : candidates) {
        if (!fits(number, question, true)) continue;
        for (const Method& method : routes_[number].methods) {
          allowed.insert(method.text);
          if (method.text == "GET") allowed.insert("HEAD");
        }
      }
    });
    return false;
  });
  return fmt::format("{}", fmt::join(allowed, ", "));
}

}  // namespace spillway::gateway
