// gateway/route_table.h: which route a request takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/config.h"
#include "http/message.h"

namespace spillway::gateway {

// What of a request decides its route. Views outlive the call.
struct RouteQuestion {
  std::string_view host;  // Without port, any case.
  std::string_view path;  // Normalised (http/path.h).
  std::string_view query;
  http::Method method = http::Method::get;
  std::string_view method_text;
  const http::HeaderList* fields = nullptr;
};

// The routes of a plan, indexed. A path is looked up as a whole and by each of its leading
// segments, so 1,000 routes cost as ten do. Immutable, any core.
class RouteTable {
 public:
  // Places in the plan's list are the routes' numbers.
  explicit RouteTable(std::vector<RouteConfig> routes);
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  static constexpr size_t none = SIZE_MAX;
  // The most specific host with a route that matches, and in it the first from the top.
  size_t match(const RouteQuestion& question) const;
  // Whether only the method stood in the way, and which methods would do, as the value of an Allow
  // field (RFC 9110 section 15.5.6); empty if nothing matches anyway.
  std::string allowed_methods(const RouteQuestion& question) const;

  const RouteConfig& route(size_t number) const { return routes_[number]; }
  size_t size() const { return routes_.size(); }

 private:
  using Candidates = std::vector<uint32_t>;  // Numbers of routes, rising.
  struct ViewHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using TextMap = std::unordered_map<std::string, Value, ViewHash, std::equal_to<>>;

  // The routes of one host pattern.
  struct HostRoutes {
    TextMap<Candidates> exact;
    TextMap<Candidates> prefixes;    // "/a/" of "/a/*".
    size_t prefix_segments_max = 0;  // Deeper path segments need not be looked up.
  };
  // Conditions of a route beyond host and path, made ready for comparing.
  struct Conditions {
    uint32_t methods = 0;  // Bit per http::Method; 0: any.
    std::vector<std::string> other_methods;
    bool has_fields = false;
  };

  bool fits(size_t number, const RouteQuestion& question, bool ignoring_method) const;
  // Calls `visit` with the candidates for each key that the path could be found under.
  template <class Visit>
  static void for_each_path(const HostRoutes& host, std::string_view path, Visit&& visit);
  size_t match_in(const HostRoutes& host, const RouteQuestion& question) const;
  template <class Visit>
  void for_each_host(std::string_view host, Visit&& visit) const;

  std::vector<RouteConfig> routes_;
  std::vector<Conditions> conditions_;
  TextMap<HostRoutes> exact_hosts_;
  TextMap<HostRoutes> wildcard_hosts_;  // ".shops.example"
  HostRoutes any_host_;
};

}  // namespace spillway::gateway
