"""A whole document: the two passes, and the program with all that belongs to it."""

from __future__ import annotations

from dirigent.lang import shape
from dirigent.lang.shape import nearest, shortened
from dirigent.lang.source import load
from dirigent.lang.tree import Leaf, Node, plain
from dirigent.lang.workflow import dataflow, shapes
from dirigent.lang.workflow.reading import (
    WORKFLOW_INPUT,
    WORKFLOW_OUTPUT,
    Reading,
    Scope,
    complain,
    entries_of,
    member_of,
    text_of,
)
from dirigent.lang.workflow.scheduling import check_schedule
from dirigent.lang.workflow.tasks.events import lower_on
from dirigent.lang.workflow.tasks.kinds import KINDS
from dirigent.lang.workflow.tasks.task import sequence
from dirigent.lang.workflow.uses import check_uses, uses_of
from dirigent.lang.workflow.words import NEWEST_PATCH, dsl_complaint, patch_of
from dirigent.model.problem import Problem, ordered
from dirigent.model.program import Program, Task
from dirigent.ports import Language


def read_workflow(
    node: Node, file: str, text: str, language: Language
) -> tuple[Program | None, list[Problem]]:
    """Return the program of a document and its problems, in order of place.

    There is no program when any problem is an error; warnings come with one. `node` may be a part
    of a larger file: `text` is the whole of that file, whose places the node carries.
    """
    problems: list[Problem] = []
    shape.check(node, shapes.DOCUMENT, problems, definitions=shapes.DEFINITIONS)
    reading = Reading(file, text.splitlines(), language, uses_of(node), KINDS, problems)
    reading.patch = _patch(text_of(member_of(node, "document", "dsl")))
    reading.loose = text_of(member_of(node, "evaluate", "mode")) == "loose"
    _check_top(reading, node)
    check_schedule(
        member_of(node, "schedule"),
        lambda code, message, at, remedy: complain(reading, code, message, at, remedy),
        demanded=True,
    )
    on = member_of(node, "schedule", "on")
    if on is not None:
        lower_on(reading, on)
    check_uses(reading)
    program = _program(reading, node, text)
    found = list(ordered(dict.fromkeys(reading.problems)))
    faulty = any(problem.severity == "error" for problem in found)
    return (None if faulty else program), found


def read_naked(text: str, file: str, language: Language) -> tuple[Program | None, list[Problem]]:
    """Return the program of a file that holds one workflow document, and the file's problems."""
    node, problems = load(text, file)
    if node is None:
        return None, problems
    program, found = read_workflow(node, file, text.removeprefix("\ufeff"), language)
    faulty = any(problem.severity == "error" for problem in problems)
    return (None if faulty else program), list(ordered([*problems, *found]))


def _program(reading: Reading, node: Node, text: str) -> Program:
    head = member_of(node, "document")
    named = member_of(head, "name")
    name = text_of(named) or ""
    scope = Scope()
    root = Task(
        name=name,
        pointer="",
        node=sequence(reading, member_of(node, "do"), scope.at("do")),
        input=dataflow.input_filter(reading, node, scope, WORKFLOW_INPUT),
        output=dataflow.output_filter(reading, node, scope, WORKFLOW_OUTPUT),
        timeout_seconds=dataflow.timeout(reading, node, scope.given(WORKFLOW_INPUT)),
        span=(named or node).span,
    )
    return Program(
        name=name,
        namespace=text_of(member_of(head, "namespace")) or "",
        version=text_of(member_of(head, "version")) or "",
        root=root,
        definition=plain(node),
        secrets=reading.uses.secrets,
        hosts=tuple(reading.hosts),
        sources={reading.file: text},
        elsewhere=tuple(reading.elsewhere),
    )


def _check_top(reading: Reading, node: Node) -> None:
    """Warn of keys that the standard lets stand and nobody reads, and of a newer patch of it."""
    known = tuple(shapes.DOCUMENT.fields)
    for member in entries_of(node).values():
        if member.key in known:
            continue
        meant = nearest(member.key, known)
        complain(
            reading,
            "W1303",
            f"`{shortened(member.key)}` is not part of a workflow document and has no effect",
            member.key_span,
            f"change it to `{meant}`" if meant else "remove it, or put it under `document.metadata`",
            label=f"did you mean `{meant}`?" if meant else "not read",
        )
    written = member_of(node, "document", "dsl")
    version = text_of(written)
    if isinstance(written, Leaf) and version and not dsl_complaint(version):
        _check_patch(reading, written, version)


def _check_patch(reading: Reading, written: Leaf, version: str) -> None:
    if patch_of(version) > NEWEST_PATCH:
        complain(
            reading,
            "W1304",
            f"version `{version}` of the DSL is newer than these rules, which know 1.0.{NEWEST_PATCH}",
            written.span,
            "what it adds is reported as unknown",
        )


def _patch(version: str | None) -> int:
    known = version is not None and not dsl_complaint(version)
    return min(patch_of(version), NEWEST_PATCH) if version is not None and known else NEWEST_PATCH
