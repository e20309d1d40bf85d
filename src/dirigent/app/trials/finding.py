"""Test files and the workflows that they are about, from disk. Nothing runs before all of it is right."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from dirigent.app.resources import TYPES
from dirigent.app.trials.playing import Piece
from dirigent.jq import LANGUAGE
from dirigent.lang.shape import nearest, shortened
from dirigent.lang.trial import read_trials
from dirigent.lang.trial.trial import Suite, Wanted
from dirigent.lang.workflow.document import read_naked
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Code, Program, tasks_of
from dirigent.service import documents, runs, stacks
from dirigent.testing.trial.world import pointer_of


def suite_of(path: Path, part: str = "") -> tuple[Suite, Piece, tuple[Problem, ...]]:
    """Return the tests of a file, those alone whose name holds `part`; what they play, and warnings.

    Raises `Refusal` with every problem of the file, and of the workflow that it names.
    """
    suite, problems = read_trials(documents.text_of(path), str(path), LANGUAGE)
    if suite is None:
        raise Refusal(problems)
    piece, warnings = _piece(suite, path.parent)
    wrong = [*_tasks(suite, piece), *_secrets(suite, piece)]
    if wrong:
        raise Refusal(wrong)
    return suite.only(part), piece, (*problems, *warnings)


def _piece(suite: Suite, folder: Path) -> tuple[Piece, tuple[Problem, ...]]:
    others = [_workflow(folder / str(each.value), each) for each in suite.others]
    if suite.inline:
        program, problems = read_naked(suite.inline, suite.file, LANGUAGE)
        if program is None:
            raise Refusal(problems)
        return Piece(program, runs.catalogue({}, [program, *others])), ()
    file, mark, name = suite.workflow.partition("#")
    path = folder / file
    if not mark:
        program = _workflow(path, Wanted(file, suite.span))
        return Piece(program, runs.catalogue({}, [program, *others])), ()
    _there(path, Wanted(file, suite.span))
    loaded = stacks.load_stack(path, TYPES)
    found = loaded.stack.workflows.get(name)
    if found is None:
        known = tuple(loaded.stack.workflows)
        meant = nearest(name, known)
        raise _refused(
            suite,
            f"stack `{loaded.stack.name}` has no workflow `{shortened(name)}`",
            f"did you mean `{meant}`?" if meant else "not found",
            f"it has: {', '.join(known) or 'none'}",
        )
    if isinstance(found.program.root.node, Code):
        raise _refused(
            suite,
            f"`{name}` is a workflow in Python, which no test file plays",
            "written in Python",
            "test it in Python: `dirigent.testing` has a store, virtual time and scripted performers",
        )
    known_to_it = runs.catalogue(loaded.stack.workflows, others)
    return Piece(found.program, known_to_it, runs.metadata_of(loaded.stack, ())), loaded.warnings


def _workflow(path: Path, named: Wanted) -> Program:
    _there(path, named)
    return documents.load_workflow(path)[0]


def _there(path: Path, named: Wanted) -> None:
    if not path.is_file():
        raise Refusal(
            [
                Problem(
                    "E7070",
                    f"there is no workflow file `{shortened(str(named.value))}`",
                    named.span,
                    "no such file",
                    (),
                    ("paths start from the folder of the test file; of a stack write `stack.yaml#NAME`",),
                )
            ]
        )


def _refused(suite: Suite, message: str, label: str, remedy: str) -> Refusal:
    return Refusal([Problem("E7070", message, suite.span, label, (), (remedy,))])


def _tasks(suite: Suite, piece: Piece) -> Iterator[Problem]:
    """Report names that no task has: a test that waits for what cannot be proves nothing."""
    programs = dict.fromkeys([piece.program.name, *(each.name for each in piece.others.values())])
    every = [piece.program, *piece.others.values()]
    tasks = [task for program in every for task in tasks_of(program.root)]
    known = {name for task in tasks for name in (task.name, task.pointer)}
    for name, span in suite.tasks.items():
        if not any(fnmatchcase(each, name) or each == pointer_of(name) for each in known):
            names = tuple(dict.fromkeys(task.name for task in tasks if task.pointer))
            meant = nearest(name, names)
            yield Problem(
                "E7074",
                f"no task is called `{shortened(name)}` in {', '.join(f'`{each}`' for each in programs)}",
                span,
                f"did you mean `{meant}`?" if meant else "no such task",
                (),
                (f"tasks: {', '.join(names)}",),
            )


def _secrets(suite: Suite, piece: Piece) -> Iterator[Problem]:
    needed = dict.fromkeys(
        name for program in (piece.program, *piece.others.values()) for name in program.secrets
    )
    for trial in suite.trials:
        for name in needed:
            if name not in trial.secrets:
                yield Problem(
                    "E7078",
                    f"the workflow needs the secret `{name}`, which the test does not give",
                    trial.span,
                    "in this test",
                    (),
                    (f"add `secrets: {{{name}: ...}}` to the test or the top of the file; invent a value",),
                )
