# tools/ladder.py: the modules and what each may include, read from the CMake files.
import dataclasses
import pathlib
import re

begin_mark = "<!-- modules -->"
end_mark = "<!-- /modules -->"


@dataclasses.dataclass
class Module:
    name: str
    public: list
    links: list       # In the order written, libraries from outside included.
    test_links: list


def words_after(keyword, words):
    found, inside = [], False
    for word in words:
        if word in ("PUBLIC", "LINKS", "TEST_LINKS"):
            inside = word == keyword
        elif inside:
            found.append(word)
    return found


def read_module(path):
    text = re.sub(r"#[^\n]*", "", path.read_text())
    call = re.search(r"spillway_module\s*\(([^)]*)\)", text)
    if not call:
        return None
    name, *words = call.group(1).split()
    return Module(name, words_after("PUBLIC", words), words_after("LINKS", words),
                  words_after("TEST_LINKS", words))


def read_ladder(root):
    """Modules from the bottom of the ladder to its top."""
    text = re.sub(r"#[^\n]*", "", (root / "CMakeLists.txt").read_text())
    names = re.findall(r"add_subdirectory\s*\(\s*src/(\w+)\s*\)", text)
    modules = {}
    for name in names:
        path = root / "src" / name / "CMakeLists.txt"
        module = read_module(path) if path.exists() else None
        if module:
            modules[name] = module
    return modules


def broken_rungs(root, modules):
    """(path, line, message) of each LINKS entry that climbs and each PUBLIC header not there."""
    below = set()
    for name, module in modules.items():
        path = f"src/{name}/CMakeLists.txt"
        if module.name != name:
            yield path, 1, f"the module in src/{name} is called {module.name}"
        for link in module.links:
            if link in modules and link not in below:
                yield path, 1, f"{name} may not link {link}: it is not below {name} on the ladder"
        for header in module.public:
            if not (root / "src" / name / header).exists():
                yield path, 1, f"public header {header} does not exist"
        below.add(name)


def picture(modules):
    """The block for docs/architecture.md, from the top of the ladder."""
    width = max((len(name) for name in modules), default=0)
    rows = []
    for name in reversed(modules):
        links = [link.replace("_config", "/config.h") for link in modules[name].links
                 if link.removesuffix("_config") in modules]
        rows.append(f"{name:{width}} -> {' '.join(links)}" if links else name)
    return "\n".join(["```text", *rows, "```"])


def picture_span(text):
    """(begin, end) of what stands between the marks, or None without them."""
    begin, end = text.find(begin_mark), text.find(end_mark)
    if begin < 0 or end < begin:
        return None
    return begin + len(begin_mark), end


def picture_is_current(root, modules):
    path = pathlib.Path(root) / "docs" / "architecture.md"
    if not path.exists():
        return None
    text = path.read_text()
    span = picture_span(text)
    return span is not None and text[span[0]:span[1]].strip() == picture(modules)


def write_picture(root, modules):
    path = pathlib.Path(root) / "docs" / "architecture.md"
    text = path.read_text()
    span = picture_span(text)
    if span is None:
        raise SystemExit(f"tidy: {path} has no {begin_mark} ... {end_mark}")
    path.write_text(f"{text[:span[0]]}\n{picture(modules)}\n{text[span[1]:]}")
