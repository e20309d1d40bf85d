"""The section `workflows`: documents, inline or in files, and code in Python, which is read but never run."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import Final

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.source import load
from dirigent.lang.stack.expressions import template
from dirigent.lang.stack.mentions import Use
from dirigent.lang.stack.reading import Reading, mapping_of, text_of
from dirigent.lang.tree import Member, Members, Node
from dirigent.model.ids import digest_of
from dirigent.model.problem import Label, Problem
from dirigent.model.program import Code, Program, Task
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.stack import StackWorkflow
from dirigent.model.values import Template

NAMED: Final = re.compile(r"(?P<file>[^:]+\.py):(?P<name>[A-Za-z_]\w*)")
NAMESPACE: Final = "python"


@dataclass(frozen=True, slots=True)
class _Found:
    """A workflow document and where its text stands."""

    node: Node
    file: str
    text: str


def read_workflows(reading: Reading, found: Members | None) -> dict[str, StackWorkflow]:
    """Return the workflows; report two with one identity (E1412) and secrets that nobody declares (E1303)."""
    workflows: dict[str, StackWorkflow] = {}
    places: dict[tuple[str, str, str], Span] = {}
    for member in found or ():
        node = mapping_of(member.node)
        if node is None:
            continue
        program = _program(reading, node)
        given = _input(reading, member, node)
        if program is None:
            continue
        _check_identity(reading, member, program, places)
        _check_secrets(reading, member, program)
        workflows[member.key] = StackWorkflow(member.key, program, given, member.key_span)
    return workflows


def _program(reading: Reading, node: Members) -> Program | None:
    if "python" in node.members:
        return _from_code(reading, node.members["python"])
    if "from" in node.members:
        found = _from_file(reading, node.members["from"])
    elif "document" in node.members:
        found = _Found(node, reading.file, reading.text)
    else:
        return None
    if found is None:
        return None
    program, problems = reading.context.read_workflow(found.node, found.file, found.text)
    reading.problems.extend(problems)
    return program


def _from_file(reading: Reading, member: Member) -> _Found | None:
    path = text_of(member.node)
    if not path:
        return None
    # Shown beside the stack file, opened in its folder: the reader of files knows the folder.
    shown = str(PurePath(reading.file).parent / path)
    text = reading.context.read_file(str(PurePath(reading.folder) / path))
    if text is None:
        reading.complain(
            "E1413",
            f"the file `{shortened(path)}` cannot be read",
            member.node.span,
            "no such file",
            "paths start from the folder of the stack file",
        )
        return None
    reading.sources[shown] = text
    tree, problems = load(text, shown)
    reading.problems.extend(problems)
    if tree is None or any(problem.severity == "error" for problem in problems):
        return None
    return _Found(tree, shown, text)


def _from_code(reading: Reading, member: Member) -> Program | None:
    """Return the program of `python: FILE.py:NAME`, or report why there is none (E1900, E1901, E1902)."""
    text = text_of(member.node) or ""
    found = NAMED.fullmatch(text)
    if found is None or PurePath(found["file"]).is_absolute() or ".." in PurePath(found["file"]).parts:
        reading.complain(
            "E1900",
            f"`{shortened(text)}` names no workflow in Python",
            member.node.span,
            "not of the form FILE.py:NAME",
            "write the file as a path below the folder of the stack, then a colon and the function",
        )
        return None
    source = reading.context.read_file(str(PurePath(reading.folder) / found["file"]))
    if source is None:
        reading.complain(
            "E1413",
            f"the file `{shortened(found['file'])}` cannot be read",
            member.node.span,
            "no such file",
            "paths start from the folder of the stack file",
        )
        return None
    return _written(reading, member, found["file"], found["name"], source)


def _written(reading: Reading, member: Member, file: str, name: str, source: str) -> Program | None:
    try:
        functions = _workflows(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError) as failure:
        line = failure.lineno if isinstance(failure, SyntaxError) else None
        reading.complain(
            "E1902",
            f"`{shortened(file)}` is no Python: {failure.args[0] if failure.args else failure}",
            member.node.span,
            f"see its line {line}" if line else "it cannot be read",
            f"run `python {file}` to see the whole message",
        )
        return None
    if name not in functions:
        meant = nearest(name, tuple(functions))
        known = ", ".join(f"`{each}`" for each in functions) or "none"
        reading.complain(
            "E1901",
            f"`{shortened(file)}` has no workflow `{shortened(name)}`",
            member.node.span,
            f"did you mean `{meant}`?" if meant else "not found",
            f"it has: {known}; write `@workflow` over an `async def` at the top of the file",
        )
        return None
    module = ".".join(PurePath(file).with_suffix("").parts)
    digest = digest_of((ast.get_source_segment(source, functions[name]) or "").encode())
    return Program(name, NAMESPACE, digest, Task(name, "", Code(module, name, digest)))


def _workflows(tree: ast.Module) -> dict[str, ast.AsyncFunctionDef]:
    """Return the functions at the top of a module that have the decorator, by name."""
    return {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef) and any(map(_is_workflow, node.decorator_list))
    }


def _is_workflow(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    last = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return bool(last == "workflow")


def _input(reading: Reading, member: Member, node: Members) -> dict[str, Template]:
    given = mapping_of(node.get("input")) if {"from", "python"} & node.members.keys() else None
    use = Use(f"the workflow `{member.key}`")
    return {each.key: template(reading, each.node, use) for each in given or ()}


def _check_identity(
    reading: Reading, member: Member, program: Program, places: dict[tuple[str, str, str], Span]
) -> None:
    identity = (program.namespace, program.name, program.version)
    first = places.setdefault(identity, member.key_span)
    if first is not member.key_span:
        shown = f"{program.namespace}/{program.name}:{program.version}"
        reading.complain_beside(
            Problem(
                "E1412",
                f"the workflow `{member.key}` is `{shown}`, as another one is",
                at=member.key_span,
                label="the same identity",
                help=("change `document.name` or `document.version` of one of them",),
            ),
            (Label(first, "the other one"),),
        )


def _check_secrets(reading: Reading, member: Member, program: Program) -> None:
    for name in program.secrets:
        if name in reading.secrets:
            continue
        meant = nearest(name, tuple(reading.secrets))
        reading.complain(
            "E1303",
            f"the workflow `{member.key}` uses the secret `{shortened(name)}`, which is not declared",
            member.key_span,
            f"did you mean `{meant}`?" if meant else "not declared",
            f"add `{shortened(name)}:` with `{{env: NAME}}` or `{{file: path}}` to `secrets:`",
        )
