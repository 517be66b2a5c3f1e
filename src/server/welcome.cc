// server/welcome.cc: the text after a start.
#include "server/welcome.h"

#include <fmt/format.h>

namespace spillway::server {
namespace {

// An address that a person can click: not the unspecified one.
std::string clickable(std::string address) {
  for (const std::string_view any : {"//0.0.0.0:", "//[::]:"}) {
    if (const size_t at = address.find(any); at != std::string::npos) {
      address.replace(at, any.size(), "//127.0.0.1:");
    }
  }
  return address;
}

std::string describe_service(const std::string& name, const plan::Service& service,
                             const std::vector<admin::SupervisedReplica>& replicas) {
  if (!service.is_supervised()) {
    return fmt::format("  {}: {} endpoint{}\n", name, service.endpoints.size(),
                       service.endpoints.size() == 1 ? "" : "s");
  }
  std::string text = fmt::format("  {}: {}\n", name, fmt::join(service.process.run, " "));
  for (const admin::SupervisedReplica& replica : replicas) {
    if (replica.service != name) continue;
    text += fmt::format("    {} on {}, pid {}, {}\n", replica.name, replica.address,
                        replica.status.pid, replica.status.state);
  }
  return text;
}

}  // namespace

std::string welcome(const plan::Plan& plan, const std::vector<admin::ListenerStatus>& listeners,
                    const std::string& admin, const std::string& source,
                    const std::vector<admin::SupervisedReplica>& replicas) {
  std::string text = fmt::format("\nspillway runs {}\n", source);
  for (const auto& [name, service] : plan.services) {
    text += describe_service(name, service, replicas);
  }
  text += "\nlook at\n";
  for (size_t i = 0; i < listeners.size(); ++i) {
    const bool is_redirect = i < plan.listen.size() && plan.listen[i].redirect.has_value();
    text += fmt::format("  {}  {}\n", clickable(listeners[i].bound),
                        is_redirect ? "sends clients to https" : "your application");
  }
  text += fmt::format("  {0}/metrics  what Prometheus reads\n  {0}/health  how it is\n", admin);
  text +=
      "\ntry, in another terminal\n"
      "  spillway status            everything at a glance\n"
      "  spillway deploy            replace every replica, one at a time, nothing lost\n"
      "  spillway explain GET /     what a request would meet, and why\n\n";
  return text;
}

}  // namespace spillway::server
