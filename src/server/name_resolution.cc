// server/name_resolution.cc: one round over all names, then a pause.
#include "server/name_resolution.h"

#include <algorithm>
#include <set>
#include <utility>

namespace spillway::server {

using runtime::Task;

namespace {

// getaddrinfo tells no time to live; a moved name is followed within this.
constexpr Duration resolve_every = 5s;
constexpr Duration resolve_timeout = 4s;

}  // namespace

NameResolution::NameResolution(runtime::Loop& control, ServiceSet& services,
                               runtime::Resolver& resolver, telemetry::Log& log)
    : control_(control), services_(services), resolver_(resolver), log_(log), wake_(control) {}

Task<void> NameResolution::run() {
  while (!is_stopping_) {
    wake_.reset();
    co_await resolve_all();
    (void)co_await wake_.wait(Deadline::after(control_.now(), resolve_every));
  }
}

void NameResolution::stop() {
  is_stopping_ = true;
  wake_.set();
}

Task<void> NameResolution::resolve_all() {
  std::set<std::pair<std::string, std::string>> names;
  for (const auto& [name, service] : services_.plan().services) {
    for (const plan::EndpointConfig& endpoint : service.endpoints) {
      if (!endpoint.address.name.empty()) names.emplace(name, endpoint.address.name);
    }
  }
  for (const auto& [service, name] : names) {
    if (is_stopping_) co_return;
    auto addresses = co_await resolver_.resolve(control_, name,
                                                Deadline::after(control_.now(), resolve_timeout));
    if (!addresses) {
      log_.warn("cannot resolve an endpoint's name; its last addresses stay",
                {{"service", service}, {"name", name}, {"error", addresses.error().detail}});
      continue;
    }
    std::ranges::sort(*addresses);
    services_.set_resolved(service, name, std::move(*addresses));
  }
}

}  // namespace spillway::server
