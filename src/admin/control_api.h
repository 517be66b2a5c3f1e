// admin/control_api.h: the HTTP interface of a running instance: metrics, health, status, actions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "admin/access_guard.h"
#include "admin/instance_view.h"
#include "admin/json.h"
#include "admin/query_parameters.h"
#include "http/exchange.h"
#include "telemetry/log.h"

namespace spillway::admin {

// Answers on the control listener. docs/control_api.md describes each path; the table in
// control_api.cc is the list. Runs on the control loop, as all of Instance does.
class ControlApi final : public http::RequestHandler {
 public:
  // Of a POST's JSON: names and numbers.
  static constexpr uint64_t body_bytes_max = 64 << 10;
  // Log streams at once: each is a person watching.
  static constexpr uint32_t followers_max = 16;
  // Lines of one answer of /api/v1/logs.
  static constexpr size_t lines_max = LogRing::lines_max;

  ControlApi(Instance& instance, telemetry::Log& log, AccessRules rules)
      : instance_(instance), log_(log), rules_(std::move(rules)) {}
  ControlApi(const ControlApi&) = delete;
  ControlApi& operator=(const ControlApi&) = delete;

  runtime::Task<void> serve(http::Exchange& exchange) override;
  // Ends the log streams, so that the control listener can close.
  void end_streams();

 private:
  // One request as its handler sees it.
  struct Call {
    http::Exchange& exchange;
    QueryParameters parameters;
    Json body;  // An object; empty for GET.
  };
  struct Entry {
    std::string_view path;
    bool is_change;  // POST; otherwise GET and HEAD.
    bool needs_token;
    runtime::Task<void> (ControlApi::*handle)(Call call);
  };
  static const Entry entries[];
  static const Entry* find(std::string_view path);

  runtime::Task<void> refuse_method(http::Exchange& exchange, const Entry& entry);
  runtime::Task<void> call(http::Exchange& exchange, const Entry& entry);

  runtime::Task<void> metrics(Call call);
  runtime::Task<void> health(Call call);
  runtime::Task<void> ready(Call call);
  runtime::Task<void> status(Call call);
  runtime::Task<void> explain(Call call);
  bool knows_source(const std::string& name);
  runtime::Task<void> logs(Call call);
  runtime::Task<void> follow(Call call, std::string source, uint64_t after, std::string begun);
  runtime::Task<void> reload(Call call);
  runtime::Task<void> deploy(Call call);
  runtime::Task<void> scale(Call call);
  runtime::Task<void> drain(Call call);
  runtime::Task<void> undrain(Call call);
  runtime::Task<void> set_draining(Call call, bool is_draining);
  runtime::Task<void> clients(Call call);
  runtime::Task<void> change_clients(Call call);
  runtime::Task<void> forget_client(Call call);
  runtime::Task<void> switches(Call call);
  runtime::Task<void> set_maintenance(Call call);
  runtime::Task<void> set_split(Call call);
  runtime::Task<void> upgrade(Call call);
  runtime::Task<void> stop(Call call);

  Instance& instance_;
  telemetry::Log& log_;
  const AccessRules rules_;
  uint32_t followers_ = 0;
  bool is_ending_ = false;
};

}  // namespace spillway::admin
