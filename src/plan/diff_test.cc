// plan/diff_test.cc: what a reload would change.
#include "plan/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/loader.h"

namespace spillway::plan {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* before_text = R"(
listen: [http://127.0.0.1:8080]
services:
  api: { run: [node, a.js], env: { A: "1", B: "2" }, health: { every: 5s } }
  old: { endpoints: [127.0.0.1:1] }
routes: [{ path: /old, service: old }, { service: api }]
)";

Plan loaded(const std::string& text) {
  auto result = load_text(text, "p.yaml", this_process());
  EXPECT_THAT(result.errors, IsEmpty());
  return *std::move(result.plan);
}

TEST(Diff, is_empty_for_plans_that_mean_the_same) {
  EXPECT_THAT(compare(loaded(before_text), loaded(before_text)), IsEmpty());
  EXPECT_THAT(
      compare(loaded(before_text), loaded(before_text + std::string("workers:\n  1\n"))).size(),
      1u);
  EXPECT_THAT(compare(Plan(), Plan()), IsEmpty());
}

TEST(Diff, names_each_field_and_whether_a_reload_is_enough) {
  const auto changes = compare(loaded(before_text), loaded(R"(
listen: [http://127.0.0.1:8081]
workers: 2
services:
  api: { run: [node, a.js], env: { A: "9", C: "2" }, concurrency: 8 }
  new: { endpoints: [127.0.0.1:1] }
routes: [{ path: /new, service: new }, { service: api }]
resources: { connections: 100 }
)"));
  using Kind = Change::Kind;
  EXPECT_THAT(changes, ElementsAre(Change{"listen[0].at", Kind::changed, true},
                                   Change{"workers", Kind::added, true},
                                   Change{"services.api.env.A", Kind::changed, false},
                                   Change{"services.api.env.B", Kind::removed, false},
                                   Change{"services.api.env.C", Kind::added, false},
                                   Change{"services.api.concurrency", Kind::added, false},
                                   Change{"services.api.health", Kind::removed, false},
                                   Change{"services.new", Kind::added, false},
                                   Change{"services.old", Kind::removed, false},
                                   Change{"routes[0].path", Kind::changed, false},
                                   Change{"routes[0].service", Kind::changed, false},
                                   Change{"resources.connections", Kind::changed, false}));
}

TEST(Diff, reports_a_list_of_another_length_as_one_change) {
  EXPECT_THAT(
      compare(loaded(before_text),
              loaded("listen: [http://127.0.0.1:8080]\n"
                     "services:\n"
                     "  api: { run: [node, a.js, x], env: { A: \"1\", B: \"2\" }, health: { "
                     "every: 5s } }\n"
                     "  old: { endpoints: [127.0.0.1:1] }\n"
                     "routes: [{ path: /old, service: old }, { service: api }]\n")),
      ElementsAre(Change{"services.api.run", Change::Kind::changed, false}));
}

}  // namespace
}  // namespace spillway::plan
