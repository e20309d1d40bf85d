"""Rules on the shape of single files: sizes, names, imports, catches, comments."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from house.tree import Finding, Module, Tree

FILE_LINES, FUNCTION_LINES, CLASS_LINES, METHODS, PARAMETERS, FOLDER_FILES, LAW_LINES = (
    500,
    50,
    250,
    15,
    6,
    12,
    6,
)
VAGUE = {
    *("manager", "helper", "util", "handler", "processor", "base", "data", "info", "misc", "common"),
    *("managers", "helpers", "utils", "handlers", "processors", "bases", "core2", "new", "old"),
}
# Names that the standard library asks us to give.
GIVEN = {"data_received", "pipe_data_received"}
SILENCERS = re.compile(
    r"#\s*(noqa|type:\s*ignore|pyright:|pragma:\s*no|TODO|FIXME|XXX|HACK)\b|#\s*mypy:", re.IGNORECASE
)
PURE = ("model", "core", "planning", "lang", "ports", "settings")
ACTING = {"open", "print", "input", "hash", "id", "eval", "exec", "__import__", "breakpoint"}
# It writes the methods of classes, as the standard library's decorator does.
WRITES = "src/dirigent/model/record/methods.py"
CLOCKS = {"now", "utcnow", "today"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def file_sizes(tree: Tree) -> Iterator[Finding]:
    """A file fits in the head."""
    for module in tree.ours:
        lines = module.text.count("\n")
        if lines > FILE_LINES:
            mend = f"{lines} lines, at most {FILE_LINES}: split it by what changes together"
            yield Finding("file size", module.shown, 1, mend)


def function_sizes(tree: Tree) -> Iterator[Finding]:
    """A function fits on a screen; its docstring is not counted."""
    for module in tree.ours:
        for node in ast.walk(module.tree):
            if not isinstance(node, Function):
                continue
            lines = length(node)
            if lines > FUNCTION_LINES:
                mend = f"`{node.name}` has {lines} lines, at most {FUNCTION_LINES}: name its parts"
                yield Finding("function size", module.shown, node.lineno, mend)


def length(node: Function) -> int:
    """The lines of a function without its docstring."""
    lines = node.end_lineno - node.lineno + 1
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None
    return lines - (first.end_lineno - first.lineno + 1 if documented else 0)


def class_sizes(tree: Tree) -> Iterator[Finding]:
    """A class has one job."""
    for module in tree.ours:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            lines = node.end_lineno - node.lineno + 1
            methods = sum(isinstance(item, Function) for item in node.body)
            if lines > CLASS_LINES or methods > METHODS:
                mend = f"`{node.name}` has {lines} lines and {methods} methods: part its jobs"
                yield Finding("class size", module.shown, node.lineno, mend)


def parameters(tree: Tree) -> Iterator[Finding]:
    """A function asks for few things."""
    for module in tree.sources:
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                asked = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                count = sum(argument.arg not in {"self", "cls"} for argument in asked)
                if count > PARAMETERS:
                    mend = (
                        f"`{node.name}` has {count} parameters, at most {PARAMETERS}: make a frozen dataclass"
                    )
                    yield Finding("parameters", module.shown, node.lineno, mend)


def folder_sizes(tree: Tree) -> Iterator[Finding]:
    """A folder can be taken in at a glance."""
    counts = Counter(
        Path(module.shown).parent.as_posix() for module in tree.sources if module.path.stem != "__init__"
    )
    for folder, count in sorted(counts.items()):
        if count > FOLDER_FILES:
            mend = f"{count} modules, at most {FOLDER_FILES}: join what changes together, or open a folder"
            yield Finding("folder size", folder, 1, mend)


def names(tree: Tree) -> Iterator[Finding]:
    """A name says what the thing is, not on which shelf it lies."""
    for module in tree.ours:
        if vague := VAGUE & parts(module.path.stem):
            mend = f"name the thing, not the shelf: `{min(vague)}` says nothing"
            yield Finding("names", module.shown, 1, mend)
        for found in module.definitions:
            dunder = found.name.startswith("__") and found.name.endswith("__")
            testing = found.name.startswith("test_")
            if (
                not dunder
                and not testing
                and found.name not in GIVEN
                and (vague := VAGUE & parts(found.name))
            ):
                mend = f"`{found.name}`: `{min(vague)}` says nothing; name the verb or the noun"
                yield Finding("names", module.shown, found.node.lineno, mend)


def parts(name: str) -> set[str]:
    """The words of a name in snake or camel case, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z][a-z0-9]*", name)}


def laws(tree: Tree) -> Iterator[Finding]:
    """A module opens with its law."""
    for module in tree.sources:
        text = ast.get_docstring(module.tree)
        lines = sum(bool(line.strip()) for line in (text or "").splitlines())
        if module.text.strip() and not text:
            yield Finding("law", module.shown, 1, "say in one sentence what lives here")
        if lines > LAW_LINES:
            mend = f"the law has {lines} lines, at most {LAW_LINES}: the rest belongs to what it is about"
            yield Finding("law", module.shown, 1, mend)


def hidden_imports(tree: Tree) -> Iterator[Finding]:
    """Every import stands at the top, for everyone to see."""
    for module in tree.ours:
        for node in ast.walk(module.tree):
            if isinstance(node, Function):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Import | ast.ImportFrom):
                        mend = "an import in a function hides a loop or a cost: put it at the top"
                        yield Finding("hidden import", module.shown, inner.lineno, mend)
            if isinstance(node, ast.Name | ast.Attribute | ast.alias) and "TYPE_CHECKING" in {
                getattr(node, field, None) for field in ("id", "attr", "name")
            }:
                mend = "an import for types only is an arrow too: import it plainly, or part the modules"
                yield Finding("type-only import", module.shown, node.lineno, mend)


def silencers(tree: Tree) -> Iterator[Finding]:
    """A gate is mended or changed for all, never silenced in place; work is in issues, not in comments."""
    for module in tree.ours:
        for line, text in module.comments:
            if found := SILENCERS.search(text):
                mend = f"`{found.group(0).strip()}`: mend the cause, or change the rule with its reason"
                yield Finding("silencer", module.shown, line, mend)


def catch_alls(tree: Tree) -> Iterator[Finding]:
    """Only what can be mended is caught. Cleaning up and raising again is no catch."""
    for module in tree.ours:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and everything(node.type) and not raises_again(node):
                yield Finding(
                    "catch-all", module.shown, node.lineno, "catch what you can mend; else let it rise"
                )
            suppressing = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress")
            if suppressing and any(everything(argument) for argument in node.args):
                yield Finding("catch-all", module.shown, node.lineno, "suppress what you expect, by name")


def everything(caught: ast.expr | None) -> bool:
    """Whether a handler's type takes every error."""
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(kind is None or ast.unparse(kind) in {"Exception", "BaseException"} for kind in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether the handler's last word is a bare `raise`."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def mocks(tree: Tree) -> Iterator[Finding]:
    """A fake passes the port's contract; a mock repeats the call."""
    for module in tree.ours:
        for name, line in imported(module):
            if name.split(".")[0] in {"mock", "pytest_mock"} or name.startswith("unittest.mock"):
                yield Finding("mock", module.shown, line, "write a fake that passes the port's contract")
        for found in module.definitions:
            arguments = getattr(getattr(found.node, "args", None), "args", [])
            if any(argument.arg == "mocker" for argument in arguments):
                yield Finding("mock", module.shown, found.node.lineno, "write a fake instead of `mocker`")


def imported(module: Module) -> Iterator[tuple[str, int]]:
    """Every module or member that a file imports, at any depth, as a dotted name with its line."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def purity(tree: Tree) -> Iterator[Finding]:
    """What the import contract cannot see of clock and disk on the pure floors."""
    for module in tree.sources:
        if module.room not in PURE:
            continue
        for name, line in imported(module):
            if name in {"pathlib.Path", "urllib.request"} or name.startswith("urllib.request."):
                yield Finding(
                    "purity", module.shown, line, f"`{name}` acts: take what you need as an argument"
                )
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            writes = module.shown == WRITES
            if isinstance(node.func, ast.Name) and node.func.id in ACTING and not writes:
                mend = f"`{node.func.id}` acts, or differs from process to process: this floor is pure"
                yield Finding("purity", module.shown, node.lineno, mend)
            if (
                isinstance(node.func, ast.Attribute)
                and node.func.attr in CLOCKS
                and ast.unparse(node.func.value).split(".")[-1] in {"datetime", "date"}
            ):
                yield Finding("purity", module.shown, node.lineno, "time is an argument on this floor")
