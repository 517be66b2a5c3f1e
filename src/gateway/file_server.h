// gateway/file_server.h: answers requests with files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "gateway/file_cache.h"
#include "runtime/loop.h"
#include "runtime/task.h"
#include "telemetry/registry.h"

namespace spillway::gateway {

struct GatewayParts;
struct RequestContext;
struct Routing;

// The files of all routes of one plan on one core: RFC 9110 sections 8.8, 13 and 14 over what
// FileCache finds.
class FileServer {
 public:
  // `parts` outlives it, and so does `routing`.
  FileServer(const GatewayParts& parts, const Routing& routing, telemetry::Scope& scope);

  // Answers the request, whose route has files. False: there is no such file, and the route has a
  // service that may know more.
  runtime::Task<bool> serve(RequestContext& context);

 private:
  using Found = std::shared_ptr<const FoundFile>;
  // What a request leads to.
  struct Target {
    std::string name;  // Of the file.
    Found found;       // Null: nothing.
    bool is_fallback = false;
    bool lacks_slash = false;  // It is a folder, and its path has to end in a slash.
  };

  runtime::Task<Result<Found>> look(RequestContext& context, std::string name);
  runtime::Task<Result<Target>> resolve(RequestContext& context);
  runtime::Task<void> send(RequestContext& context, const Target& target);

  runtime::Loop& loop_;
  telemetry::Counter from_memory_;
  telemetry::Counter from_disk_;
  telemetry::Counter not_modified_;
  FileCacheMetrics cache_metrics_;
  std::vector<std::unique_ptr<FileCache>> by_route_;  // Null: a route without files.
};

}  // namespace spillway::gateway
