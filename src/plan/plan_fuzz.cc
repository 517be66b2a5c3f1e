// plan/plan_fuzz.cc: any text is refused with reasons or gives a plan that holds what it promises.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "plan/diff.h"
#include "plan/document.h"
#include "plan/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace spillway;
  using namespace spillway::plan;
  // The text includes itself as b.yaml, and finds itself in ${file:s} and ${V}.
  const std::string text(data, data + size);
  const Surroundings surroundings{
      .variable = [&text](std::string_view name) -> std::optional<std::string> {
        return name == "V" ? std::optional(text) : std::nullopt;
      },
      .read_file = [&text](const std::string& path) -> Result<std::string> {
        if (path == "b.yaml" || path == "s") return text;
        return fail(Error::Code::not_found, path);
      }};
  const LoadResult result = load_text(text, "a.yaml", surroundings);
  CHECK(result.plan.has_value() == result.errors.empty());
  CHECK(result.errors.size() <= limits::problems_max + 1);
  if (!result.plan) return 0;

  CHECK(!result.plan->listen.empty() && !result.plan->routes.empty());
  for (const auto& route : result.plan->routes) {
    const bool needs_service = !route.redirect && !route.files;
    CHECK(result.plan->services.contains(route.service) || !needs_service);
  }
  for (const auto& [name, service] : result.plan->services) {
    CHECK(service.is_supervised() == service.endpoints.empty());
  }
  CHECK(compare(*result.plan, *load_text(text, "a.yaml", surroundings).plan).empty());
  return 0;
}
