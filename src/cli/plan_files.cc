// cli/plan_files.cc: certificates, keys, countries and pages, read and thrown away.
#include "cli/plan_files.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>

#include "server/certificates.h"
#include "server/client_lists.h"
#include "server/identities.h"
#include "server/page_files.h"
#include "server/upstream_certificates.h"

namespace spillway::cli {

void check_files(plan::LoadResult& loaded, bool may_be_absent) {
  const plan::Plan& plan = *loaded.plan;
  const auto note_error = [&](const char* field, const Error& error) {
    const bool is_absent =
        error.code == Error::Code::not_found || error.code == Error::Code::permission;
    (is_absent && may_be_absent ? loaded.warnings : loaded.errors)
        .push_back({{}, field, error.detail});
  };
  const auto note = [&](const char* field, const Result<void>& checked) {
    if (!checked) note_error(field, checked.error());
  };
  const auto certificates = server::check_certificates(plan, std::chrono::system_clock::now());
  for (const Error& error : certificates.errors) note_error("tls", error);
  for (const std::string& text : certificates.warnings) {
    loaded.warnings.push_back({{}, "tls", text});
  }
  note("services", server::check_upstream_certificates(plan));
  note("clients.countries.file", server::check_clients(plan));
  note(plan.error_pages.empty() ? "maintenance.page" : "error_pages", server::check_pages(plan));
  note("auth", server::check_identities(plan));
  for (size_t i = 0; i < plan.routes.size(); ++i) {
    if (!plan.routes[i].files) continue;
    const std::string folder = plan.routes[i].files->folder;
    const auto place = std::filesystem::path(plan.folder) / folder;
    std::error_code error;
    if (std::filesystem::is_directory(place, error)) continue;
    // A build may put it there at any time.
    loaded.warnings.push_back({{},
                               "routes[" + std::to_string(i) + "].files",
                               place.lexically_normal().string() + " is no folder yet"});
  }
  if (!loaded.errors.empty()) loaded.plan.reset();
}

}  // namespace spillway::cli
