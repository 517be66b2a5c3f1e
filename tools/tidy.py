#!/usr/bin/python3
# tools/tidy.py: holds the conventions that a program can hold.
"""usage: tidy.py [--root FOLDER] [--write]

Prints `path:line: what is wrong` and exits with 1 if anything is. --write brings the module
picture of docs/architecture.md up to date. The rules' numbers and words are in tidy.toml."""
import argparse
import ast
import dataclasses
import os
import pathlib
import re
import sys
import tomllib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cpp_scan
import ladder

here = pathlib.Path(__file__).resolve().parent
folders_skipped = {".git", "build", "node_modules", "__pycache__", "corpus"}
code_folders = ("src/", "tests/", "bench/", "tools/")


@dataclasses.dataclass
class File:
    path: str  # From the root of the repository, with slashes.
    text: str

    def __post_init__(self):
        self.lines = self.text.splitlines()
        self.is_cpp = self.path.endswith((".h", ".cc"))
        self.is_test = re.search(r"_(test|fuzz|bench)\.(cc|py)$", self.path) is not None
        if self.is_cpp:
            self.code = cpp_scan.without_literals(self.text)
            self.bare = cpp_scan.without_directives(self.code)
            self.scan = cpp_scan.Scan(self.bare)

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @property
    def module(self):
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else None


class Tree:
    """All that tidy looks at, and its configuration."""

    def __init__(self, root, config):
        self.root = pathlib.Path(root)
        self.config = config
        self.paths = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(set(folders) - folders_skipped)
            self.paths += [(pathlib.Path(folder) / name).relative_to(self.root).as_posix()
                           for name in sorted(names)]
        self.files = [File(path, (self.root / path).read_text(errors="replace"))
                      for path in self.paths if self.is_read(path)]
        self.modules = ladder.read_ladder(self.root)

    @staticmethod
    def is_read(path):
        name = path.rsplit("/", 1)[-1]
        if name.endswith(".md"):
            return True
        code = name.endswith((".h", ".cc", ".py", ".sh", ".cmake")) or name == "CMakeLists.txt"
        return code and ("/" not in path or path.startswith((*code_folders, "cmake/")))

    def cpp(self):
        return [file for file in self.files if file.is_cpp]

    def excepted(self, rule, path):
        return any(path.startswith(prefix) for prefix in self.config["exceptions"].get(rule, {}))


# Each rule below yields (path, line, message).

def first_lines(tree):
    for file in tree.files:
        if not file.path.endswith((".h", ".cc", ".py", ".sh")):
            continue
        comment = "//" if file.is_cpp else "#"
        line = 2 if file.lines and file.lines[0].startswith("#!") else 1
        shown = file.path.removeprefix("src/") if file.is_cpp else file.path
        text = file.lines[line - 1] if len(file.lines) >= line else ""
        if not re.fullmatch(rf"{comment} {re.escape(shown)}: \S.*[.?]", text):
            yield file.path, line, f'the file does not begin "{comment} {shown}: what it is for."'


def line_lengths(tree):
    limit = tree.config["sizes"]["columns"]
    for file in tree.files:
        if file.path.endswith(".md"):
            continue
        for number, line in enumerate(file.lines, 1):
            if len(line) > limit:
                yield file.path, number, f"{len(line)} columns, {limit} are allowed"


def file_lengths(tree):
    sizes = tree.config["sizes"]
    for file in tree.files:
        if file.is_test or not file.path.endswith((".h", ".cc", ".py", ".sh")):
            continue
        limit = sizes["header_lines"] if file.path.endswith(".h") else sizes["source_lines"]
        if len(file.lines) > limit:
            yield file.path, limit + 1, f"{len(file.lines)} lines, {limit} are allowed: split it"


def python_functions(file):
    try:
        nodes = ast.walk(ast.parse(file.text))
    except SyntaxError:
        return
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield cpp_scan.Function(node.name, node.lineno, node.end_lineno)


def function_lengths(tree):
    limit = tree.config["sizes"]["function_lines"]
    for file in tree.files:
        functions = []
        if file.is_cpp:
            functions = file.scan.functions
        elif file.path.endswith(".py"):
            functions = python_functions(file)
        for function in functions:
            lines = function.last_line - function.first_line + 1
            if lines > limit:
                yield (file.path, function.first_line,
                       f"{function.name} has {lines} lines, {limit} are allowed")


def includes_of(file):
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', file.text,
                             re.MULTILINE):
        if file.code[match.start():match.start(1)].strip():  # Not inside a comment.
            yield file.line_at(match.start(1)), match.group(2)


def included_modules(tree):
    for file in tree.cpp():
        module = tree.modules.get(file.module)
        if module is None:
            continue
        allowed = {module.name, *module.links, *(module.test_links if file.is_test else [])}
        for line, path in includes_of(file):
            target = tree.modules.get(path.split("/")[0]) if "/" in path else None
            if target is None or target is module:
                continue
            header = path.split("/", 1)[1]
            if header == "config.h" and f"{target.name}_config" in module.links:
                continue  # The settings of a module may be seen from below it, and nothing else.
            if target.name not in allowed:
                yield (file.path, line,
                       f"{module.name} may not include {path}: {target.name} is not in its LINKS")
            elif header not in (*target.public, "config.h", "status.h"):
                yield file.path, line, f"{path} is not a public header of {target.name}"


def rungs(tree):
    yield from ladder.broken_rungs(tree.root, tree.modules)


thread_words = re.compile(
    r"\bstd::(?:\w*mutex|atomic\w*|j?thread|condition_variable\w*|lock_guard|unique_lock|"
    r"scoped_lock|shared_lock|call_once|once_flag|async|future|promise)\b|\bpthread_\w+|"
    r"#[ \t]*include[ \t]*<(?:mutex|shared_mutex|atomic|thread|condition_variable|future)>")


def threads(tree):
    for file in tree.cpp():
        if not file.path.startswith("src/") or file.is_test:
            continue
        if tree.excepted("threads", file.path):
            continue
        for match in thread_words.finditer(file.code):
            yield (file.path, file.line_at(match.start()),
                   f"{match.group().strip()}: only runtime/ and telemetry/ share between threads")


def macros(tree):
    for file in tree.cpp():
        if tree.excepted("macros", file.path):
            continue
        for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", file.code, re.MULTILINE):
            if not re.match(r"(CHECK|TRY|CO_TRY)(_|$)", match.group(1)):
                yield (file.path, file.line_at(match.start(1)),
                       f"macro {match.group(1)}: only CHECK*, TRY* and CO_TRY* are ours")


def coroutine_lambdas(tree):
    for file in tree.cpp():
        for offset, body in cpp_scan.lambdas(file.bare):
            if re.search(r"\bco_(await|return|yield)\b|\bCO_TRY", body):
                yield (file.path, file.line_at(offset),
                       "a lambda is a coroutine: its captures die before it ends; name a function")


def mutable_globals(tree):
    for file in tree.cpp():
        if not file.path.startswith("src/") or tree.excepted("globals", file.path):
            continue
        for statement in file.scan.statements:
            name = cpp_scan.mutable_variable(statement)
            if name:
                yield (file.path, statement.line,
                       f"{name} lasts and may change: pass it to whoever needs it")


def exceptions_thrown(tree):
    for file in tree.cpp():
        if not file.path.startswith("src/"):
            continue
        for match in re.finditer(r"\b(throw|dynamic_cast|typeid)\b", file.bare):
            yield (file.path, file.line_at(match.start()),
                   f"{match.group()}: errors are values, and types are known")


def sleeps(tree):
    for file in tree.cpp():
        if not file.path.endswith("_test.cc"):
            continue
        for match in re.finditer(r"\b(sleep_for|sleep_until|usleep|nanosleep)\b", file.code):
            yield (file.path, file.line_at(match.start()),
                   f"{match.group()} in a test: wait for what should happen instead")


comment_faults = [
    (re.compile(r"[-=*#/]{5,}\s*$"), "a banner"),
    (re.compile(r"\b(?:19|20)\d\d-\d\d-\d\d\b(?!T)|@author|\bAuthor:"), "a date or an author"),
    (re.compile(r"^ ?(?:[\w:>.\-\[\]]+\(.*\);|[\w:<>]+ [\w]+ = .*;|return\b.*;|#include .*)$"),
     "code that is commented out"),
]


def comments(tree):
    for file in tree.cpp():
        for number, line in enumerate(file.lines, 1):
            at = line.find("//")
            if at < 0 or line[:at].strip():
                continue
            for pattern, fault in comment_faults:
                if pattern.search(line[at + 2:]):
                    yield file.path, number, f"a comment holds {fault}"
                    break


def names(tree):
    banned = set(tree.config["names"]["banned"])
    for path in tree.paths:
        if not path.startswith(("src/", "tests/", "bench/", "tools/", "docs/")):
            continue
        for part in path.split("/"):
            words = set(re.split(r"[_\-.]", part)) & banned
            if words:
                yield path, 1, f"a file or folder called {words.pop()}: say what is in it"


def words(tree):
    marks = re.compile(r"\b(" + "|".join(map(re.escape, tree.config["words"]["marks"])) + r")\b")
    banned = re.compile(r"\b(" + "|".join(map(re.escape, tree.config["words"]["banned"])) + r")\b",
                        re.IGNORECASE)
    for file in tree.files:
        if file.path == "tools/tidy_test.py":  # It proves this rule.
            continue
        for number, line in enumerate(file.lines, 1):
            found = marks.search(line) or banned.search(line)
            if found:
                yield file.path, number, f'"{found.group(1)}" must not stand here'


def doc_files(tree):
    return [file for file in tree.files if file.path.endswith(".md") and
            (file.path.startswith("docs/") or "/" not in file.path)]


def exists(tree, path):
    if any(sign in path for sign in "*?"):
        return any(tree.root.glob(path))
    return (tree.root / path).exists()


def named_paths(tree, line):
    """Paths of the repository that a line of prose names in backticks."""
    folders = tree.config["docs"]["folders"]
    for span in re.findall(r"`([^`\s]+)`", line):
        path = re.sub(r"[:#].*$", "", span).removeprefix("./")
        if not re.fullmatch(r"[\w.*/\-]+", path) or "NAME" in path:
            continue
        first = path.split("/")[0]
        if first in folders and "/" in path:
            yield path, path
        elif first in tree.modules and re.search(r"/[\w/]+\.(h|cc)$", path):
            yield path, "src/" + path
        elif re.fullmatch(r"[A-Z]{4,}\.md", path):
            yield path, path


def docs(tree):
    for file in doc_files(tree):
        folder = os.path.dirname(file.path)
        fenced = False
        for number, line in enumerate(file.lines, 1):
            fenced ^= line.lstrip().startswith("```")
            for shown, path in named_paths(tree, line):
                if not exists(tree, path):
                    yield file.path, number, f"names {shown}, which does not exist"
            for link in [] if fenced else re.findall(r"\]\(([^)\s]+)\)", line):
                target = link.split("#")[0]
                if not target or re.match(r"[a-z]+:", target):
                    continue
                if not exists(tree, os.path.normpath(os.path.join(folder, target))):
                    yield file.path, number, f"links to {link}, which does not exist"


def module_picture(tree):
    if ladder.picture_is_current(tree.root, tree.modules) is False:
        yield ("docs/architecture.md", 1,
               "the module picture differs from the LINKS lists: run tools/tidy.py --write")


rules = [first_lines, line_lengths, file_lengths, function_lengths, included_modules, rungs,
         threads, macros, coroutine_lambdas, mutable_globals, exceptions_thrown, sleeps, comments,
         names, words, docs, module_picture]


def read_config():
    return tomllib.loads((here / "tidy.toml").read_text())


def problems(root, config):
    tree = Tree(root, config)
    return sorted({problem for rule in rules for problem in rule(tree)})


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=str(here.parent))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.write:
        root = pathlib.Path(options.root)
        ladder.write_picture(root, ladder.read_ladder(root))
    found = problems(options.root, read_config())
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    print(f"tidy: {len(found)} problem{'s' if len(found) != 1 else ''}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
