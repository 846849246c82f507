#!/usr/bin/env python3
"""Holds what a reader of this tree cannot see at a glance, and says why with every refusal.

Usage: check_source.py [ROOT]      exit 0: nothing to say; 1: refusals, one per line, on stdout; 2: usage

Each rule is a generator `rule(file)` that yields (line, what). It works on text and needs neither compiler nor git, so that
it runs in a second and on an unpacked archive. Names, sizes and comments beyond these are for reviewers.
"""

import ast
import os
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

# Which rooms a room may include: itself and what its arrows reach (docs/architecture.md).
ARROWS = {
    "base": {"base"},
    "auth": {"auth", "base"},
    "partition": {"partition", "base"},
    "limiter": {"limiter", "partition", "base"},
    "proxy": {"proxy", "base"},
    "conf": {"conf", "limiter", "proxy", "auth", "partition", "base"},
    "gateway": {"gateway", "conf", "limiter", "proxy", "auth", "partition", "base"},
}
CODE_ROOTS = [*ARROWS, "tests", "bench", "cmake", "lua", "tools", "deploy"]

# Third-party headers and the only places that may include them. A room's unit tests stand on the room's side of a border.
BORDERS = [
    ("yaml-cpp", re.compile(r"yaml-cpp/"), ["conf/"]),
    ("hiredis", re.compile(r"hiredis(/|\.h)"), ["limiter/redis/"]),
    ("nlohmann json", re.compile(r"nlohmann/"), ["gateway/", "auth/", "tests/", "bench/"]),
    ("Beast", re.compile(r"boost/beast"), ["gateway/", "proxy/", "cmake/asio.cpp", "tests/integration/", "tests/support/", "bench/"]),
    ("spdlog", re.compile(r"spdlog/"), ["gateway/"]),
    ("prometheus-cpp", re.compile(r"prometheus/"), ["gateway/"]),
    ("CLI11", re.compile(r"CLI/"), ["gateway/"]),
]
NO_ASIO = ["base/", "auth/", "partition/"]

MACHINE_CLOCK = re.compile(
    r"\b(?:system|steady|high_resolution|utc|tai|file)_clock\s*::\s*now\b"
    r"|\bclock_type\s*::\s*now\b"
    r"|\b(?:gettimeofday|clock_gettime|timespec_get)\s*\("
    r"|(?<![\w.>:])(?:std::|::)?time\s*\(\s*(?:nullptr|NULL|0|&\s*\w+)\s*\)"
)
MACHINE_CLOCK_MAY = ["base/clock.cpp", "bench/", "tests/contract/", "tests/integration/", "tests/support/", "tests/fuzz/"]
PROGRAM_CLOCK = re.compile(r"\bclock\s*::\s*now\s*\(")
DECIDES = ["auth/", "partition/", "limiter/", "conf/"]
DECIDES_BUT_SHELL = ["limiter/redis/", "limiter/fleet_front.cpp", "limiter/lease_front.cpp"]
AWAITS = re.compile(r"\bco_await\b")

CPP_SLEEP = re.compile(r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>:])(?:::)?sleep\s*\(\s*\d")
DETACHED = re.compile(r"\bdetached\b")
NEGATED_AWAIT = re.compile(r"!\s*co_await\b")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
REFUSED_WORDS = {"manager", "helper", "helpers", "util", "utils", "utility", "utilities", "common", "impl", "wrapper",
                 "wrappers", "misc", "info", "data", "do", "numbers"}

CPP = (".hpp", ".cpp")
CODE = (*CPP, ".py", ".lua", ".cmake", ".txt", ".sh", ".yaml", ".yml", ".js")
# The rules and their tests quote what they refuse.
SPEAKS_OF_RULES = ["tools/check_source.py", "tests/tools/"]

WHY = {
    "arrows": "a room may use only what its arrows reach, so that limits and proxying stay apart (docs/architecture.md)",
    "borders": "a library that stays behind its border can be replaced in one place",
    "asio": "what decides is testable without an io_context",
    "clock": "time is a value: only base/clock.cpp reads the machine, everybody else is handed an instant",
    "decides": "what decides takes `now` as an argument; a shell reads the clock once per event",
    "sleep": "a worker never blocks, and a test waits for a condition with a deadline",
    "twice": "of two functions of one name Python keeps the last, and the other is never run",
    "detached": "a coroutine whose end nobody awaits cannot be stopped, and its exception ends the program",
    "negated": "gcc 12 writes the value over the place at which the coroutine resumes: name it first (docs/adr/0001)",
    "name": "the word says nothing of what is inside",
    "header": "a header opens with what it knows, what it does not and who calls it, then #pragma once",
    "unfinished": "unfinished work is an issue, not a line in the source",
    "links": "a page that moved takes its links along",
    "image": "the image is built from what .dockerignore lets in, and from nothing else",
}

COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\\\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.S)
MARKDOWN_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.S | re.M)
MARKDOWN_LINK = re.compile(r"\]\(([^()\s]+)\)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]', re.M)


@dataclass
class SourceFile:
    path: str  # from the root, with '/'
    text: str
    root: str

    def under(self, places):
        return any(self.path == place or (place.endswith("/") and self.path.startswith(place)) for place in places)

    @property
    def room(self):
        return self.path.split("/", 1)[0]

    @property
    def is_cpp(self):
        return self.path.endswith(CPP)

    @cached_property
    def code(self):
        """C++ without comments and strings; every line keeps its number."""
        return COMMENT_OR_STRING.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), self.text)

    @cached_property
    def includes(self):
        """(line, target) of each #include that is not commented out."""
        comments = [found.span() for found in COMMENT_OR_STRING.finditer(self.text) if found[0].startswith("/")]
        return [(line_of(self.text, found.start()), found[1]) for found in INCLUDE.finditer(self.text)
                if not any(start <= found.start() < end for start, end in comments)]

    def lines_with(self, pattern):
        for found in pattern.finditer(self.code):
            yield line_of(self.code, found.start()), found[0].strip()


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def arrows(file):
    allowed = ARROWS.get(file.room)
    for line, target in file.includes:
        first = target.split("/", 1)[0]
        if first == "..":
            yield line, f'"{target}": write includes from the root'
        elif allowed and (first in ARROWS or first in ("tests", "bench")) and first not in allowed:
            yield line, f'{file.room} includes "{target}", but reaches only {", ".join(sorted(allowed))}'


def borders(file):
    for line, target in file.includes:
        for library, header, places in BORDERS:
            beside = [f"tests/unit/{place}" for place in places]
            if header.match(target) and not file.under(places + beside):
                yield line, f"<{target}>: {library} is included only in {', '.join(places)}"


def asio(file):
    for line, target in file.includes:
        if target.startswith("boost/asio") and file.under(NO_ASIO):
            yield line, f"<{target}> in {file.room}"


def clock(file):
    if file.is_cpp and not file.under(MACHINE_CLOCK_MAY):
        yield from file.lines_with(MACHINE_CLOCK)


def decides(file):
    if file.is_cpp and file.under(DECIDES) and not file.under(DECIDES_BUT_SHELL) and not AWAITS.search(file.code):
        yield from file.lines_with(PROGRAM_CLOCK)


def sleep(file):
    if file.room == "bench":
        return
    if file.is_cpp:
        yield from file.lines_with(CPP_SLEEP)
    elif file.path.startswith("tests/") and file.path.endswith(".py"):
        for line in python_sleeps(ast.parse(file.text), inside=""):
            yield line, "sleep outside wait_until"


def python_sleeps(node, inside):
    """Lines of calls of sleep() that are not in a function named wait_until, the one place where tests pause."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        inside = node.name
    if isinstance(node, ast.Call) and inside != "wait_until":
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "sleep":
            yield node.lineno
    for child in ast.iter_child_nodes(node):
        yield from python_sleeps(child, inside)


def twice(file):
    """A name given to two functions or classes of one body, of which Python keeps the last: a test that nobody runs."""
    if not file.path.endswith(".py"):
        return
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, (ast.Module, ast.ClassDef)):
            seen = set()
            for each in node.body:
                if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not each.decorator_list:
                    if each.name in seen:
                        yield each.lineno, each.name
                    seen.add(each.name)


def detached(file):
    if file.is_cpp:
        yield from file.lines_with(DETACHED)


def negated(file):
    if file.is_cpp:
        yield from file.lines_with(NEGATED_AWAIT)


def name(file):
    for part in PurePosixPath(file.path).parts:
        for word in re.split(r"[-_.]", part.lower()):
            if word in REFUSED_WORDS:
                yield 1, f'"{word}" in the name'


def header(file):
    if not file.path.endswith(".hpp"):
        return
    if not file.text.startswith("// "):
        yield 1, "no opening comment"
    first_code = re.search(r"^[^\n/ ][^\n]*", file.code, re.M)
    if not first_code or first_code[0].strip() != "#pragma once":
        yield line_of(file.code, first_code.start()) if first_code else 1, "#pragma once is not the first line of code"


def unfinished(file):
    for found in UNFINISHED.finditer(file.text):
        yield line_of(file.text, found.start()), found[0]


def links(file):
    text = MARKDOWN_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), file.text)
    for found in MARKDOWN_LINK.finditer(text):
        target = found[1].split("#", 1)[0]
        if target and ":" not in target and not os.path.exists(os.path.join(file.root, os.path.dirname(file.path), target)):
            yield line_of(text, found.start()), f'"{found[1]}" leads nowhere'


def image(file):
    for room in sorted(ARROWS):
        if f"!{room}" not in file.text.split():
            yield 1, f"{room} is left out"


RULES = [arrows, borders, asio, clock, decides, sleep, twice, detached, negated, name, header, unfinished]


def files_below(root, tops, wanted):
    for top in tops:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(each for each in folders if not each.startswith((".", "__")) and each not in ("node_modules", "build"))
            for each in sorted(names):
                if wanted(each):
                    full = os.path.join(folder, each)
                    with open(full, encoding="utf-8") as opened:
                        yield SourceFile(os.path.relpath(full, root).replace(os.sep, "/"), opened.read(), root)


def refusals(root):
    rules_by_file = [(file, [name] if file.under(SPEAKS_OF_RULES) else RULES)
                     for file in files_below(root, CODE_ROOTS, lambda each: each.endswith(CODE) or each == "Dockerfile")]
    rules_by_file += [(file, [links]) for file in files_below(root, ["."], lambda each: each.endswith(".md"))]
    rules_by_file += [(file, [image]) for file in files_below(root, ["."], lambda each: each == ".dockerignore")]
    for file, rules in rules_by_file:
        for rule in rules:
            for line, what in rule(file):
                yield f"{file.path}:{line}: {rule.__name__}: {what}; {WHY[rule.__name__]}"


def main(arguments):
    if len(arguments) > 1 or any(each.startswith("-") for each in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    found = list(refusals(arguments[0] if arguments else os.path.join(os.path.dirname(__file__), "..")))
    for each in found:
        print(each)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
