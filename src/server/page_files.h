// server/page_files.h: reads the pages that a plan names.
#pragma once

#include <memory>

#include "base/error.h"
#include "gateway/pages.h"
#include "plan/plan.h"

namespace spillway::server {

// Null if the plan names none. Errors: not_found, permission, limit_exceeded, io. Blocks.
Result<std::shared_ptr<const gateway::Pages>> load_pages(const plan::Plan& plan);

// The same without keeping them, for `spillway check`.
Result<void> check_pages(const plan::Plan& plan);

}  // namespace spillway::server
