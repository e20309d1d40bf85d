"""A test file made from a run: written as the run went, played at once, and mended until it passes.

What another playing gives otherwise (a time, something random) is left out of what is expected, and said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dirigent.app.resources import TYPES
from dirigent.app.trials.finding import suite_of_text
from dirigent.app.trials.piece import Piece
from dirigent.app.trials.playing import played
from dirigent.lang.source import load
from dirigent.lang.tree import Members
from dirigent.model.ids import RunId
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Code, Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.model.values import Value
from dirigent.service import stacks
from dirigent.service.documents import text_or_none
from dirigent.testing.trial.comparing import alike
from dirigent.testing.trial.recording import Whereabouts, came_to, check_recordable, recorded

_WEB: Final = ("http://", "https://")
# Outputs are compared as a whole, then as far as they are alike.
_MENDED: Final = frozenset({"E7081"})


@dataclass(frozen=True, slots=True)
class Recording:
    """A test file, and what another playing of it finds wrong: nothing, unless the workflow changed."""

    text: str
    problems: tuple[Problem, ...] = ()


def recording(run: RunId, program: Program, facts: Sequence[Fact], stack_file: Path, file: Path) -> Recording:
    """Return a test file of a run that would lie at `file`; a stack is looked for in `stack_file`.

    Raises:
        Refusal: E7077 for a run that cannot become a test, E7070 when its code is not there.
    """
    check_recordable(run, program, facts)
    where = _whereabouts(program, facts, stack_file, file)
    wanted = came_to(facts)
    text = recorded(run, program, facts, where)
    output, problems = _tried(text, file, stack_file.parent)
    if problems and all(each.code in _MENDED for each in problems):
        left = {name: value for name, value in wanted.items() if name != "output"}
        common = alike(wanted.get("output"), output)
        if common is not None:
            left["outputContains"] = common
        words = "Left out of the output: what depends on the time or on chance, and so differs in each run."
        where = Whereabouts(where.workflow, where.files, (*where.remarks, words))
        text = recorded(run, program, facts, where, left)
        _, problems = _tried(text, file, stack_file.parent)
    if problems:
        words = f"It does not pass as it stands: {problems[0].message}."
        where = Whereabouts(where.workflow, where.files, (*where.remarks, words))
        text = recorded(run, program, facts, where)
    return Recording(text, tuple(problems))


def _tried(text: str, file: Path, folder: Path) -> tuple[Value, list[Problem]]:
    """Return what a test file comes to: the output, and what is wrong."""
    suite, piece, _ = suite_of_text(text, file, "", folder)
    came, problems = played(piece, suite.trials[0])
    return came.output, problems


def _whereabouts(program: Program, facts: Sequence[Fact], stack_file: Path, file: Path) -> Whereabouts:
    """Return how a test file names the workflow: by its path where that still holds the same text."""
    root = program.root.node
    if isinstance(root, Code):
        path = stack_file.parent / f"{root.module.replace('.', '/')}.py"
        return Whereabouts(f"{_from(file, path)}:{root.name}")
    first = facts[0]
    name = first.metadata.get("stack") if isinstance(first, Created) else None
    found = _in_stack(program, stack_file, file) if isinstance(name, str) else None
    if found is not None:
        return Whereabouts(found, _files(program, "", stack_file.parent, file))
    for source, text in program.sources.items():
        if not _is_document(text, source):
            continue
        for path in (each for each in _places(source, stack_file.parent) if text_or_none(each) == text):
            return Whereabouts(_from(file, path), _files(program, source, path.parent, file))
        words = f"`{source}` is another one now, or gone: this is the workflow as the run had it."
        return Whereabouts(program.definition, _files(program, source, file.parent, file), (words,))
    return Whereabouts(program.definition, _files(program, "", file.parent, file))


def _in_stack(program: Program, stack_file: Path, file: Path) -> str | None:
    """Return how a workflow of the stack is named, if it is there as it was."""
    try:
        stack = stacks.load_stack(stack_file, TYPES).stack
    except Refusal:
        return None
    for name, workflow in stack.workflows.items():
        if workflow.program.definition == program.definition:
            return f"{_from(file, stack_file)}#{name}"
    return None


def _files(program: Program, document: str, folder: Path, file: Path) -> dict[str, Value]:
    """Return the texts of a run that are not found again where they were."""
    piece = Piece(program, folders=tuple(dict.fromkeys((folder.resolve(), file.parent.resolve()))))
    return {
        uri: text
        for uri, text in program.sources.items()
        if uri != document and ":" in uri and not _is_there(piece, uri, text)
    }


def _is_there(piece: Piece, uri: str, text: str) -> bool:
    if uri.startswith(_WEB):
        return False
    try:
        return piece.read(uri) == text.encode()
    except OSError:
        return False


def _places(source: str, folder: Path) -> Iterator[Path]:
    yield Path(source)
    yield folder / source


def _is_document(text: str, file: str) -> bool:
    node, _ = load(text, file)
    return isinstance(node, Members) and "document" in node.members and "stack" not in node.members


def _from(file: Path, path: Path) -> str:
    return Path(os.path.relpath(path.resolve(), file.resolve().parent)).as_posix()
