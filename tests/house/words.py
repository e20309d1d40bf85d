"""Rules on words: what stands in backticks exists, every problem has its page, every change its fragment."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from house.tree import Finding, Module, Tree

TICKED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCED = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"[EW][0-9]{4}")
HEADING = re.compile(r"^## ([EW][0-9]{4})(: \S.*)?$", re.MULTILINE)
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+(\(\))?")
HUMPS = re.compile(r"(?:[A-Z][a-z0-9]+){2,}")
SNAKE = re.compile(r"_?[a-z][a-z0-9]*(?:_[a-z0-9]+)+(\(.*\))?")
SHOUTED = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
PATH = re.compile(
    r"(?:[\w.-]+/)*[\w.-]+\.(?:py|md|toml|txt)|(?:src|tests|docs|scripts|examples|requirements)/[\w./-]+"
)
PLACEHOLDER = re.compile(r"[*<{…]|\b[A-Z]{2,}\b|NNN")
# A first word that names one of our rooms; `service` is left out: it is a word of the stack file too.
ROOMS = {
    *("dirigent", "model", "core", "planning", "lang", "shim", "engine", "stores", "providers", "tasks"),
    *("testing", "app", "cli", "ports", "settings", "limits"),
}
ENDINGS = {"db", "lock", "sock", "json", "yaml", "log", "py", "toml", "md", "sql", "txt"}
FRAGMENT = re.compile(r"[0-9]{3}-[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md")
# Documents about the code itself; the others speak to users, in words of their stacks.
ABOUT_CODE = ("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/decisions/")


def backticks(tree: Tree) -> Iterator[Finding]:
    """A name in backticks is a name that exists."""
    known = Names(tree)
    for module in tree.sources:
        for line, text in [*module.docstrings, *module.comments]:
            yield from dangling(known, module.shown, line, text)
    for shown, text in tree.documents:
        if shown.startswith(ABOUT_CODE):
            blank = FENCED.sub(lambda found: "\n" * found.group(0).count("\n"), text)
            yield from dangling(known, shown, 1, blank)


def dangling(known: Names, shown: str, first: int, text: str) -> Iterator[Finding]:
    """The names of one text that lead nowhere."""
    for found in TICKED.finditer(text):
        if reason := known.lacks(found.group(1)):
            line = first + text.count("\n", 0, found.start())
            mend = f"`{found.group(1)}`: {reason}; mend the word, or take the backticks off an example"
            yield Finding("backticks", shown, line, mend)


class Names:
    """All that can be meant by a word in backticks."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.words = tree.words | set(dir(builtins))
        self.modules = {module.dotted: module for module in tree.sources}
        self.documented = {code for code, _, _ in headings(tree)}

    def lacks(self, text: str) -> str | None:
        """Why a text in backticks cannot stand, or None when it can."""
        if CODE.fullmatch(text):
            return None if text in self.documented else "no page in docs/problems explains this code"
        if PATH.fullmatch(text) and not PLACEHOLDER.search(text):
            there = any(name == text or name.endswith(f"/{text}") for name in self.tree.files)
            folder = text.rstrip("/")
            there = there or any(f"/{name}".find(f"/{folder}/") >= 0 for name in self.tree.files)
            return None if there else "there is no such file"
        if DOTTED.fullmatch(text):
            return self._lacks_dotted(text.removesuffix("()").split("."))
        plain = text.split("(", maxsplit=1)[0]
        if SHOUTED.fullmatch(text) and text.endswith("_NAME"):
            # A family of variables, such as those that give inputs: its prefix is what exists.
            plain = text.removesuffix("NAME") if text not in self.words else text
        if HUMPS.fullmatch(text) or SNAKE.fullmatch(text) or SHOUTED.fullmatch(text):
            return None if plain in self.words else "nothing of this name exists in the code"
        return None

    def _lacks_dotted(self, path: list[str]) -> str | None:
        if path[0] not in ROOMS or path[-1] in ENDINGS:
            return None
        if path[0] == "dirigent":
            path = path[1:]
        if path[0] == "limits":
            path = ["model", *path]
        for end in range(len(path), 0, -1):
            module = self.modules.get(".".join(["dirigent", *path[:end]]))
            if module is not None:
                rest = path[end:]
                return (
                    None
                    if all(name in defined(module) for name in rest)
                    else f"`{module.dotted}` has no such name"
                )
        return "there is no such module"


def defined(module: Module) -> set[str]:
    """Every name that a module defines or brings in, members of its classes included."""
    names = {found.name for found in module.definitions}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        if isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names


def headings(tree: Tree) -> list[tuple[str, str, int]]:
    """Every problem code that has a section: (code, file, line)."""
    return [
        (found.group(1), shown, text.count("\n", 0, found.start()) + 1)
        for shown, text in tree.documents
        if shown.startswith("docs/problems/")
        for found in HEADING.finditer(text)
    ]


def used(tree: Tree) -> dict[str, tuple[str, int]]:
    """The place where each problem code is first used."""
    found: dict[str, tuple[str, int]] = {}
    for module in tree.sources:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.setdefault(node.value, (module.shown, node.lineno))
    return found


def problems(tree: Tree) -> Iterator[Finding]:
    """Every code has one section in docs/problems, with a title; every section a code that is used."""
    known = used(tree)
    seen: dict[str, str] = {}
    for code, shown, line in headings(tree):
        if code in seen:
            yield Finding(
                "problems", shown, line, f"`{code}` is explained in {seen[code]} too: a code is never reused"
            )
        seen[code] = f"{shown}:{line}"
        if code not in known:
            yield Finding("problems", shown, line, f"`{code}` is explained, but nothing gives it")
    for code, (shown, line) in sorted(known.items()):
        if code not in seen:
            mend = f"`{code}` has no section: add `## {code}: title` to a file of docs/problems"
            yield Finding("problems", shown, line, mend)
    for shown, text in tree.documents:
        if shown.startswith("docs/problems/"):
            for found in HEADING.finditer(text):
                if not found.group(2):
                    yield Finding(
                        "problems", shown, text.count("\n", 0, found.start()) + 1, "give the code a title"
                    )


def fragments(tree: Tree) -> Iterator[Finding]:
    """A change that users see has a fragment `changes/NNN-name.KIND.md` with a sentence in it."""
    for path in sorted((tree.root / "changes").glob("*")):
        shown = path.relative_to(tree.root).as_posix()
        if path.name == "README.md":
            continue
        if not FRAGMENT.fullmatch(path.name):
            mend = "name it NNN-name.KIND.md; KIND is added, changed, fixed, removed or security"
            yield Finding("fragments", shown, 1, mend)
        elif len(path.read_text(encoding="utf-8").split()) < 3:
            yield Finding("fragments", shown, 1, "say in a sentence what changes for a user")
