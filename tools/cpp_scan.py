# tools/cpp_scan.py: sees functions, variables and lambdas in C++ text, well enough for tidy.
"""No compiler: comments and literals are blanked, then braces are followed. What it cannot tell
apart it lets pass; clang-tidy and the compiler see the rest."""
import dataclasses
import re

literal = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
directive = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


def blanked(match):
    """Spaces of the same shape, so that offsets and line numbers stay."""
    text = match.group(0)
    inner = re.sub(r"[^\n]", " ", text)
    return inner if text.startswith("/") else text[0] + inner[1:-1] + text[-1]


def without_literals(text):
    return literal.sub(blanked, text)


def without_directives(code):
    return directive.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), code)


@dataclasses.dataclass
class Function:
    name: str
    first_line: int
    last_line: int


@dataclasses.dataclass
class Statement:
    text: str  # On one line, without what follows the first '{' of its initialiser.
    line: int
    scope: str  # "namespace", "class" or "function".


@dataclasses.dataclass
class Block:
    kind: str  # "namespace", "class", "enum", "function", "block" or "value".
    head: str
    begin: int  # Where its head begins.


type_head = re.compile(r"^(?:template\s*<.*>\s*)?(?:requires\b.*\s)?(?:typedef\s+)?"
                       r"(namespace|inline namespace|class|struct|union|enum|extern \")\b")
after_parameters = re.compile(
    r"\s*(?:(?:const|noexcept|override|final|mutable|volatile|&&?)\s*"
    r"|->\s*[\w:<>,\s*&\[\]()]+|requires\s.*)*")


def kind_of(head, inside_function):
    """What the brace after `head` opens."""
    text = " ".join(re.sub(r"\[\[.*?\]\]", " ", head).split())
    if inside_function:
        return "block"
    found = type_head.match(text)
    if found:
        word = found.group(1)
        if word.endswith("namespace") or word.startswith("extern"):
            return "namespace"
        if word == "enum":
            return "enum"
        return "class"
    if text.startswith("extern"):
        return "namespace" if "(" not in text else "function"
    if text.count("(") != text.count(")") or "(" not in text:
        return "value"
    if text.endswith("}"):  # The last member initialiser was `x_{...}`.
        return "function"
    tail = text[text.rfind(")") + 1:]
    if "->" in text:
        tail = text[text.rfind("->"):]
    return "function" if after_parameters.fullmatch(tail) else "value"


class Scan:
    """Functions and statements of one file. `bare` has no literals and no directives."""

    def __init__(self, bare):
        self.bare = bare
        self.functions = []
        self.statements = []
        self.line_starts = [0] + [match.end() for match in re.finditer("\n", bare)]
        self.blocks = []
        self.follow()

    def line_at(self, offset):
        low, high = 0, len(self.line_starts)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.line_starts[middle] <= offset else (low, middle)
        return low + 1

    def first_line_of(self, begin, end):
        skipped = len(self.bare[begin:end]) - len(self.bare[begin:end].lstrip())
        return self.line_at(begin + skipped)

    def follow(self):
        begin = 0
        for match in re.finditer(r"[{};]", self.bare):
            at = match.start()
            if match.group() == "{":
                begin = self.open(begin, at)
            elif match.group() == "}":
                begin = self.close(begin, at)
            else:
                self.note(begin, at)
                begin = at + 1

    def open(self, begin, at):
        inside = any(block.kind == "function" for block in self.blocks)
        head = re.sub(r"^(\s*(public|private|protected)\s*:)+", "", self.bare[begin:at])
        kind = kind_of(head, inside)
        if kind == "block" and re.search(r"\b(static|thread_local)\b", head):
            self.note(begin, at)
        self.blocks.append(Block(kind, head, at - len(head)))
        return begin if kind == "value" else at + 1

    def close(self, begin, at):
        if not self.blocks:
            return at + 1
        block = self.blocks.pop()
        if block.kind == "function":
            name = re.search(r"([~\w:]+|operator\s*\S+)\s*\(", block.head)
            first = self.first_line_of(block.begin, at)
            self.functions.append(Function(name.group(1) if name else "?", first,
                                           self.line_at(at)))
        return begin if block.kind == "value" else at + 1

    def scope(self):
        kinds = [block.kind for block in self.blocks]
        if "function" in kinds:
            return "function"
        kinds = [kind for kind in kinds if kind != "value"]
        return kinds[-1] if kinds else "namespace"

    def note(self, begin, at):
        text = re.sub(r"^(\s*(public|private|protected)\s*:)+", "", self.bare[begin:at])
        text = " ".join(re.sub(r"\[\[.*?\]\]", " ", text).split())
        if text:
            self.statements.append(Statement(text, self.first_line_of(begin, at), self.scope()))


fixed = re.compile(r"\b(const|constexpr|consteval|concept)\b")
no_variable = re.compile(r"^(using|typedef|template|friend|static_assert|extern|class|struct|enum|"
                         r"union|namespace|return|goto|break|continue|public|private|default)\b")
variable = re.compile(r"^(?:(?:static|inline|thread_local|constinit)\s+)*"
                      r"[\w:][\w:<>,&*\s\[\]]*[\s&*>](\w+)(?:\s*\[[^\]]*\])*$")


def mutable_variable(statement):
    """The name of the global or static variable that `statement` defines, if it may change."""
    text = statement.text
    declared = re.split(r"=|\{", text, maxsplit=1)[0].strip()
    lasting = re.match(r"^(?:inline\s+)?(static|thread_local)\b", text) is not None
    if statement.scope not in ("namespace", "class", "function"):
        return None
    if statement.scope != "namespace" and not lasting:
        return None
    if fixed.search(declared) or no_variable.match(text) or "(" in declared:
        return None
    found = variable.match(declared)
    return found.group(1) if found else None


def matching(text, at):
    """The offset just after the bracket that closes the one at `at`; -1 if there is none."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    opening, closing, depth = text[at], pairs[text[at]], 0
    for match in re.finditer(f"[\\{opening}\\{closing}]", text[at:]):
        depth += 1 if match.group() == opening else -1
        if depth == 0:
            return at + match.end()
    return -1


def lambdas(bare):
    """(offset, body) of each lambda."""
    for match in re.finditer(r"(?<![\w\])\[>])\s*\[(?!\[)", bare):
        start = match.end() - 1
        end = matching(bare, start)
        if end < 0:
            continue
        rest = re.compile(r"\s*(<[^{}();]*>)?\s*").match(bare, end).end()
        if bare[rest:rest + 1] == "(":
            rest = matching(bare, rest)
            if rest < 0:
                continue
        body = re.compile(r"[\w\s:<>,*&\->]*").match(bare, rest).end()
        if bare[body:body + 1] == "{":
            close = matching(bare, body)
            if close > 0:
                yield start, bare[body:close]
