// gateway/subrequest.h: asks a service a question of our own about a request.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "gateway/service.h"
#include "http/client_pool.h"
#include "http/field.h"
#include "runtime/interruption.h"
#include "runtime/task.h"

namespace spillway::gateway {

// A GET without a body. The views are the caller's, who waits.
struct Question {
  Service& service;
  std::string_view path;
  const http::HeaderList& fields;
  std::span<const std::string_view> wanted;  // Headers of the answer that are kept.
};

// The answer, as far as it was asked for.
struct Reply {
  uint16_t status = 0;
  std::vector<std::string> values;  // Of `wanted`, in its order; empty where there is none.
  std::string content_type;
  std::string body;  // Empty if it was longer than body_kept_max.

  static constexpr size_t body_kept_max = 2048;  // A sentence for a person; not a page.
};

// One attempt at one endpoint, and another on a new connection if a kept one had died. Errors, all
// of them before an answer: as Service::acquire, ClientPool::connect and ClientCall; cancelled, by
// `interruption`.
runtime::Task<Result<Reply>> ask(runtime::Loop& loop, http::ClientPool& pool,
                                 const Question& question, runtime::Interruption& interruption,
                                 Deadline deadline);

}  // namespace spillway::gateway
