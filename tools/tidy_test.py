# tools/tidy_test.py: each rule of tidy passes a clean tree and fails on what it forbids.
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ladder
import tidy

clean_tree = {
    "CMakeLists.txt": "add_subdirectory(src/base)\nadd_subdirectory(src/http)\n",
    "src/base/CMakeLists.txt": "# Words.\nspillway_module(base PUBLIC time.h LINKS fmt)\n",
    "src/base/time.h": "// base/time.h: instants.\n#pragma once\n",
    "src/base/inside.h": "// base/inside.h: nobody else's business.\n#pragma once\n",
    "src/base/config.h": "// base/config.h: settings.\n#pragma once\n",
    "src/base/check.cc": "// base/check.cc: may use atomics.\n#include <atomic>\n"
                         "std::atomic<int> failures{0};\n",
    "src/http/CMakeLists.txt": "spillway_module(http LINKS base)\n",
    "src/http/url.cc": """// http/url.cc: reads a URL.
#include "base/config.h"
#include "base/time.h"
#define CHECK_THIS(x) (x)
// The clause in question; RFC 3986 section 2.1 (see there);
namespace spillway::http {
constexpr int limit = 3;
const char* const names[] = {"throw {", "std::mutex"};
struct Url {
  static Url parse(int text);
  explicit Url(int a = {}) : first_{a}, second_(a) { first_ = 1; }
  int first_;
  int second_ = 0;
};
int twice(int x) { static const int two = 2; return two * x; }
auto plain = [](int x) { return x; }(1) > 0 ? 1 : 0;
}  // namespace spillway::http
""".replace("auto plain", "const auto plain"),
    "docs/architecture.md": "See `src/http/url.cc`, `http/url.cc` and [this](architecture.md).\n"
                            "<!-- modules -->\n```text\nhttp -> base\nbase\n```\n"
                            "<!-- /modules -->\n",
    "README.md": "Read `docs/architecture.md`, run `./dev test`, see `src/*/url.cc`.\n",
}


def source(body, path="src/http/url.cc"):
    return {path: f"// {path.removeprefix('src/')}: something.\n{body}\n"}


class Tidy(unittest.TestCase):
    def problems_with(self, changes):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**clean_tree, **changes}.items():
                target = pathlib.Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            return [f"{path}:{line}: {message}"
                    for path, line, message in tidy.problems(folder, tidy.read_config())]

    def assert_found(self, changes, *parts):
        found = self.problems_with(changes)
        self.assertTrue(any(all(part in line for part in parts) for line in found),
                        f"expected {parts} among {found}")

    def assert_clean(self, changes):
        self.assertEqual(self.problems_with(changes), [])

    def test_a_clean_tree_passes(self):
        self.assert_clean({})

    def test_this_repository_is_tidy(self):
        root = pathlib.Path(__file__).resolve().parent.parent
        found = [f"{path}:{line}: {message}"
                 for path, line, message in tidy.problems(root, tidy.read_config())]
        if found:
            self.fail("\n" + "\n".join(found))

    def test_a_link_that_climbs_the_ladder_fails(self):
        self.assert_found({"src/base/CMakeLists.txt": "spillway_module(base LINKS http)\n"},
                          "base may not link http")

    def test_an_include_outside_of_links_fails(self):
        self.assert_found(source('#include "http/url.h"', "src/base/time.cc"),
                          "src/base/time.cc:2", "http is not in its LINKS")

    def test_an_include_of_a_private_header_fails(self):
        self.assert_found(source('#include "base/inside.h"'), "url.cc:2", "not a public header")

    def test_settings_alone_may_be_seen_from_below(self):
        changes = {"src/base/CMakeLists.txt": "spillway_module(base PUBLIC time.h "
                                              "LINKS http_config)\n",
                   "src/http/config.h": "// http/config.h: settings.\n#pragma once\n",
                   "src/http/status.h": "// http/status.h: a snapshot.\n#pragma once\n",
                   "docs/architecture.md": "<!-- modules -->\n```text\nhttp -> base\n"
                                           "base -> http/config.h\n```\n<!-- /modules -->\n"}
        self.assert_clean({**changes, **source('#include "http/config.h"', "src/base/a.cc")})
        self.assert_found({**changes, **source('#include "http/status.h"', "src/base/a.cc")},
                          "http is not in its LINKS")

    def test_an_include_in_a_comment_is_no_include(self):
        self.assert_clean(source('/*\n#include "base/inside.h"\n*/'))

    def test_a_public_header_that_is_gone_fails(self):
        self.assert_found({"src/base/CMakeLists.txt": "spillway_module(base PUBLIC a.h time.h)\n"},
                          "public header a.h does not exist")

    def test_a_first_line_without_the_path_or_purpose_fails(self):
        for text in ("", "#pragma once\n", "// url.cc: reads.\n", "// http/url.cc: no full stop\n"):
            self.assert_found({"src/http/url.cc": text}, "url.cc:1", "does not begin")

    def test_a_script_may_begin_with_its_interpreter(self):
        self.assert_clean({"tools/x.py": "#!/usr/bin/python3\n# tools/x.py: does it.\n"})
        self.assert_found({"tools/x.py": "#!/usr/bin/python3\nimport os\n"}, "does not begin")

    def test_a_long_line_fails(self):
        self.assert_found(source("// " + "x" * 98), "url.cc:2", "101 columns")
        self.assert_clean(source("// " + "x" * 97))

    def test_a_long_function_fails(self):
        for head in ("int f()", "Task<Result<int>> Gate::serve(\n    int x)", "Url::Url() : a_{1}",
                     "auto f() const -> int"):
            body = head + " {\n" + "  step();\n" * 60 + "}"
            self.assert_found(source("namespace a {\n" + body + "\n}"), "lines, 60 are allowed")
        self.assert_clean(source("int f() {\n" + "  step();\n" * 58 + "}"))

    def test_a_long_class_is_no_long_function(self):
        self.assert_clean(source("class A : public B<int()> {\n" + "  int f();\n" * 90 + "};"))

    def test_a_long_python_function_fails(self):
        text = "# tools/x.py: does it.\ndef long():\n" + "    pass\n" * 60
        self.assert_found({"tools/x.py": text}, "long has 61 lines")

    def test_long_files_fail_but_tests_may_be_long(self):
        self.assert_found(source("\n" * 200, "src/http/url.h"), "200 are allowed")
        self.assert_found(source("\n" * 600), "600 are allowed")
        self.assert_clean(source("\n" * 700, "src/http/url_test.cc"))

    def test_threads_outside_of_the_runtime_fail(self):
        for body in ("#include <mutex>", "std::mutex m() { return {}; }",
                     "void f() { std::atomic<int> x; }", "void f() { std::jthread t; }"):
            self.assert_found(source(body), "url.cc:2", "share between threads")
        self.assert_clean(source("#include <mutex>", "src/runtime/mail.cc"))

    def test_other_macros_fail(self):
        self.assert_found(source("#define RETURN_IF(x)"), "macro RETURN_IF")
        self.assert_found(source("#define CHECKSUM(x)"), "macro CHECKSUM")
        self.assert_clean(source("#define CO_TRY_VOID(x) \\\n  x"))

    def test_a_lambda_that_is_a_coroutine_fails(self):
        for body in ("auto t = [&] { co_return; };",
                     "g([this](int x) -> Task<int> { co_await x; });",
                     "g([a = b](auto&& x) mutable noexcept {\n  if (x) { co_yield 1; }\n});",
                     "g([&]() -> Task<void> { CO_TRY(a, f()); });"):
            self.assert_found(source("void f() {\n" + body + "\n}"), "url.cc:3", "a coroutine")
        self.assert_clean(source("Task<int> f(int a[2]) { co_return g([&] { return a[1]; }); }"))

    def test_variables_that_last_and_change_fail(self):
        for body in ("int count = 0;", "static std::string name;", "namespace {\nint a[3];\n}",
                     "int f() { static int calls = 0; return ++calls; }",
                     "Pool& pool() { static Pool one{1}; return one; }",
                     "thread_local std::vector<int> free_list;",
                     "class A { static int next_; };",
                     "class A { inline static A* one_ = nullptr; };",
                     "std::map<int, std::vector<int>> all{};"):
            self.assert_found(source(body), "lasts and may change")

    def test_constants_functions_and_members_may_last(self):
        self.assert_clean(source(
            "constexpr std::array<int, 2> pair{1, 2};\nstatic constexpr int x = 1;\n"
            "static int f(int a);\nclass A {\n  static A make();\n  static constexpr int y = 1;\n"
            "  int z_ = 0;\n  std::vector<int> w_{1};\n};\nenum class E : int { a, b };\n"
            "using F = int;\nextern template class V<int>;\ninline const std::string s = f();\n"
            "template <class T>\nconcept C = requires(T t) { t.f(); };\n"
            "int operator()(int a) { int b = a; return b; }\n"))

    def test_exceptions_of_our_own_fail(self):
        self.assert_found(source("void f() { throw 1; }"), "errors are values")

    def test_sleeps_in_tests_fail(self):
        path = "src/http/url_test.cc"
        self.assert_found(source("void f() { usleep(1); }", path), "usleep in a test")

    def test_banners_dates_and_dead_code_in_comments_fail(self):
        for comment in ("// -------------", "// Since 2024-01-31.", "// @author somebody",
                        "//  f(x);", "// return x;", "// int x = 3;"):
            self.assert_found(source(comment.replace("//  ", "// ")), "a comment holds")
        self.assert_clean(source("//   f(x);\n// A pause; then more (see above).\nint f();"))

    def test_names_that_say_nothing_fail(self):
        for path in ("src/http/utils.h", "src/common/a.h", "src/http/string_helpers.cc",
                     "docs/misc.md"):
            self.assert_found({path: "// x\n"}, path, "say what is in it")

    def test_banned_words_fail_in_code_and_in_docs(self):
        words = tidy.read_config()["words"]
        self.assert_found(source(f"// {words['marks'][0]}: later."), "must not stand here")
        self.assert_found({"README.md": f"It is {words['banned'][-1].upper()}.\n"}, "README.md:1")

    def test_docs_that_name_files_that_are_gone_fail(self):
        for text in ("See `src/http/gone.cc`.", "See `http/gone.h`.", "See [it](gone.md).",
                     "See `docs/gone*.md`.", "See `tools/gone.py:12`.", "See `NOTHERE.md`."):
            self.assert_found({"docs/a.md": text + "\n"}, "docs/a.md:1", "does not exist")
        self.assert_clean({"docs/a.md": "`src/http/url.cc:3` [a](a.md#b) [w](https://a.b/c) "
                                        "`text/html` `build/x` `/etc/x` `http/1.1`\n"})

    def test_a_stale_module_picture_fails_and_is_mended(self):
        stale = clean_tree["docs/architecture.md"].replace("http -> base\n", "")
        self.assert_found({"docs/architecture.md": stale}, "module picture")
        modules = {"base": ladder.Module("base", [], [], []),
                   "http": ladder.Module("http", [], ["base", "fmt"], [])}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "docs" / "architecture.md"
            path.parent.mkdir()
            path.write_text(stale)
            ladder.write_picture(folder, modules)
            self.assertTrue(ladder.picture_is_current(folder, modules))
            self.assertEqual(path.read_text(), clean_tree["docs/architecture.md"])


if __name__ == "__main__":
    unittest.main()
