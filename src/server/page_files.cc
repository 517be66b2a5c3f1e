// server/page_files.cc: paths beside the plan, read whole.
#include "server/page_files.h"

#include "server/plan_reader.h"

namespace spillway::server {

Result<std::shared_ptr<const gateway::Pages>> load_pages(const plan::Plan& plan) {
  if (plan.error_pages.empty() && !plan.maintenance.page) return nullptr;
  PlanReader reader(plan);
  TRY(pages, gateway::Pages::load(plan.error_pages, plan.maintenance, [&](const std::string& path) {
        return reader.read(path, gateway::page_bytes_max);
      }));
  return std::make_shared<const gateway::Pages>(std::move(pages));
}

Result<void> check_pages(const plan::Plan& plan) {
  TRY_VOID(load_pages(plan));
  return {};
}

}  // namespace spillway::server
