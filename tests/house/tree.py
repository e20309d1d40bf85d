"""A checkout as the house rules see it: every Python file parsed once, every document read once.

Works on any root, so that a planted violation can be checked in a small tree of its own.
"""

from __future__ import annotations

import ast
import gc
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

OURS = ("src", "tests", "scripts", "examples", "bench")
SKIPPED = {".venv", ".git", "build", "dist", "__pycache__", "node_modules", ".dirigent", "run"}


@dataclass(frozen=True)
class Finding:
    """One violation: the rule, the place, and the mend."""

    rule: str
    path: str
    line: int
    mend: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: [{self.rule}] {self.mend}"


@dataclass(frozen=True)
class Definition:
    """A class or function with the name it has inside its module."""

    node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    name: str


def parsed(text: str, name: str) -> ast.Module:
    """Return the syntax tree of a file.

    Python 3.11 miscounts its depth ("AST constructor recursion depth mismatch") when coroutines that
    an earlier test left behind are collected in the middle of this, so nothing is collected meanwhile.
    """
    gc.disable()
    try:
        return ast.parse(text, filename=name)
    finally:
        gc.enable()


class Module:
    """One Python file."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.shown = path.relative_to(root).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.tree = parsed(self.text, self.shown)

    @cached_property
    def dotted(self) -> str:
        """The import name of a file below `src`."""
        parts = Path(self.shown).with_suffix("").parts[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def room(self) -> str:
        """The folder or module directly below the package, empty for the package itself."""
        return [*self.dotted.split("."), ""][1]

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Every comment with its line."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]

    @cached_property
    def docstrings(self) -> list[tuple[int, str]]:
        """Every docstring with the line on which it begins."""
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        return [
            (node.body[0].lineno, text)
            for node in ast.walk(self.tree)
            if isinstance(node, kinds) and (text := ast.get_docstring(node, clean=False)) is not None
        ]

    @cached_property
    def words(self) -> set[str]:
        """Every identifier of the code, and every word of its string literals; no comment, no docstring."""
        prose = {text for _, text in self.docstrings}
        found: set[str] = set()
        for node in ast.walk(self.tree):
            for name in ("id", "attr", "arg", "name", "asname"):
                if isinstance(value := getattr(node, name, None), str):
                    found.update(value.split("."))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in prose:
                found.update(words_of(node.value))
        return found

    @property
    def definitions(self) -> Iterator[Definition]:
        """Every class and function, at any depth."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield Definition(node, node.name)


def words_of(text: str) -> set[str]:
    """The identifier-like words of a text."""
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


class Tree:
    """A checkout. `sources` is the product, `ours` all Python that we keep to the rules."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ours = [
            Module(path, root)
            for top in OURS
            for path in sorted((root / top).rglob("*.py"))
            if not SKIPPED & set(path.relative_to(root).parts)
        ]
        self.sources = [module for module in self.ours if module.shown.startswith("src/dirigent/")]

    @cached_property
    def documents(self) -> list[tuple[str, str]]:
        """Every Markdown file (shown path, text)."""
        paths = [*sorted(self.root.glob("*.md")), *sorted((self.root / "docs").rglob("*.md"))]
        return [(path.relative_to(self.root).as_posix(), path.read_text(encoding="utf-8")) for path in paths]

    @cached_property
    def words(self) -> set[str]:
        """All that exists in the code, and in the files that drive it."""
        found = {word for module in self.ours for word in module.words}
        for name in ("Makefile", ".ci/run", "pyproject.toml"):
            if (path := self.root / name).is_file():
                found |= words_of(path.read_text(encoding="utf-8"))
        for path in sorted((self.root / "examples").rglob("*.yaml")):
            found |= words_of(path.read_text(encoding="utf-8"))
        return found

    @cached_property
    def files(self) -> list[str]:
        """Every file, as a path from the root."""
        return [
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file() and not SKIPPED & set(path.relative_to(self.root).parts)
        ]
