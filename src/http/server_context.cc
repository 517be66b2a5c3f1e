// http/server_context.cc: the counters of client connections.
#include "http/server_context.h"

#include <string>
#include <string_view>

namespace spillway::http {

namespace {

telemetry::Counter counter(telemetry::Registry& registry, uint32_t core, std::string name,
                           std::string help) {
  return registry.counter(registry.family({.name = std::move(name), .help = std::move(help)}), {},
                          core);
}

}  // namespace

ServerCounts::ServerCounts(telemetry::Registry& registry, uint32_t core)
    : requests(counter(registry, core, "spillway_client_requests_total",
                       "Requests whose head was read.")),
      bad_requests(counter(registry, core, "spillway_client_bad_requests_total",
                           "Requests refused because their head broke HTTP or a limit.")),
      head_timeouts(counter(registry, core, "spillway_client_head_timeouts_total",
                            "Connections closed because a request's head came too slowly.")),
      truncated(counter(registry, core, "spillway_client_answers_truncated_total",
                        "Answers cut in mid-body, visibly for the client.")),
      http2_connections(counter(registry, core, "spillway_http2_connections_total",
                                "Client connections that spoke HTTP/2.")),
      http2_refused_streams(counter(registry, core, "spillway_http2_refused_streams_total",
                                    "Streams refused because those before them, closed by their "
                                    "client, still were being served.")) {
  const telemetry::Family& floods = registry.family(
      {.name = "spillway_http2_floods_total",
       .help = "HTTP/2 connections ended because their client sent too much of one kind: reset, "
               "settings, ping, empty_data, continuation, field_bytes, unread.",
       .label_names = {"kind"}});
  for (const std::string_view kind : enum_names(Http2Burden{})) {
    http2_floods.push_back(registry.counter(floods, {std::string(kind)}, core));
  }
}

}  // namespace spillway::http
