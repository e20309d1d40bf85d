"""Test files and the workflows that they are about, from disk. Nothing runs before all of it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from dirigent.app.authors import Authors
from dirigent.app.later import PYTHON
from dirigent.app.resources import TYPES
from dirigent.app.trials.modules import known_things, of_reference, reference_of, root_of
from dirigent.app.trials.piece import Piece
from dirigent.jq import LANGUAGE
from dirigent.lang.shape import nearest, shortened
from dirigent.lang.stack.schedules import scheduled
from dirigent.lang.trial import read_trials
from dirigent.lang.trial.trial import Suite, Wanted
from dirigent.lang.workflow.document import read_naked
from dirigent.model.problem import Problem, Refusal
from dirigent.model.program import Code, Program, tasks_of
from dirigent.service import documents, runs, stacks
from dirigent.testing.trial.world import pointer_of


def suite_of(
    path: Path, part: str = "", within: Path | None = None
) -> tuple[Suite, Piece, tuple[Problem, ...]]:
    """Return the tests of a file, those alone whose name holds `part`; what they play, and warnings.

    Files that a workflow needs are looked for in its folder, in that of the test file, and `within` another.
    Raises `Refusal` with every problem of the file, and of the workflow that it names.
    """
    return suite_of_text(documents.text_of(path), path, part, within)


def suite_of_text(
    text: str, path: Path, part: str = "", within: Path | None = None
) -> tuple[Suite, Piece, tuple[Problem, ...]]:
    """Return what `suite_of` does, of a text that would lie at a path."""
    suite, problems = read_trials(text, str(path), LANGUAGE)
    if suite is None:
        raise Refusal(problems)
    piece, warnings = _piece(suite, path.parent)
    folders = (*piece.folders, path.parent, *([within] if within else []))
    piece = replace(piece, folders=tuple(dict.fromkeys(folder.resolve() for folder in folders)))
    wrong = [*_tasks(suite, piece), *_secrets(suite, piece), *_schedules(suite, piece)]
    if wrong:
        raise Refusal(wrong)
    return suite.only(part), piece, (*problems, *warnings)


def _piece(suite: Suite, folder: Path) -> tuple[Piece, tuple[Problem, ...]]:
    others = [_workflow(folder / str(each.value), each)[0] for each in suite.others]
    if suite.inline:
        program, problems = read_naked(suite.inline, suite.file, LANGUAGE)
        if program is None:
            raise Refusal(problems)
        return _of_document(program, others, folder), ()
    written = PYTHON.fullmatch(suite.workflow)
    if written is not None:
        return _of_module(suite, folder / written["file"], written["name"], others), ()
    file, mark, name = suite.workflow.partition("#")
    path = folder / file
    if not mark:
        program, warnings = _workflow(path, Wanted(file, suite.span))
        return _of_document(program, others, path.parent), warnings
    return _of_stack(suite, path, name, others)


def _of_document(program: Program, others: list[Program], folder: Path) -> Piece:
    known = runs.catalogue({}, [program, *others])
    return Piece(program, known, folders=(folder,), schedule=scheduled(program))


def _of_stack(
    suite: Suite, path: Path, name: str, others: list[Program]
) -> tuple[Piece, tuple[Problem, ...]]:
    _there(path, Wanted(suite.workflow.partition("#")[0], suite.span))
    loaded = stacks.load_stack(path, TYPES)
    stack = loaded.stack
    found = stack.workflows.get(name)
    if found is None:
        known = tuple(stack.workflows)
        meant = nearest(name, known)
        raise _refused(
            suite,
            f"stack `{stack.name}` has no workflow `{shortened(name)}`",
            f"did you mean `{meant}`?" if meant else "not found",
            f"it has: {', '.join(known) or 'none'}",
        )
    program, plays, home = found.program, None, ""
    if any(isinstance(each.program.root.node, Code) for each in stack.workflows.values()):
        home = str(path.parent.resolve())
        plays = Authors((home,))
    if plays is not None and isinstance(program.root.node, Code):
        program = of_reference(plays, path.parent, reference_of(program.root.node), suite.span)
    piece = Piece(
        program,
        runs.catalogue(stack.workflows, others),
        runs.metadata_of(stack, ()),
        (path.parent,),
        plays,
        home,
        stack.schedules.get(name),
    )
    return piece, loaded.warnings


def _of_module(suite: Suite, path: Path, name: str, others: list[Program]) -> Piece:
    """Return a workflow in Python, of a module that lies at a path."""
    _there(path, Wanted(suite.workflow, suite.span))
    root, module = root_of(path)
    plays = Authors((str(root),))
    program = of_reference(plays, root, f"{module}:{name}", suite.span)
    return Piece(program, runs.catalogue({}, others), folders=(path.parent,), plays=plays, home=str(root))


def _workflow(path: Path, named: Wanted) -> tuple[Program, tuple[Problem, ...]]:
    _there(path, named)
    return documents.load_workflow(path)


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
                    (
                        "paths start from the folder of the test file",
                        "of a stack write `stack.yaml#NAME`, of a module `flows.py:NAME`",
                    ),
                )
            ]
        )


def _refused(suite: Suite, message: str, label: str, remedy: str) -> Refusal:
    return Refusal([Problem("E7070", message, suite.span, label, (), (remedy,))])


def _tasks(suite: Suite, piece: Piece) -> Iterator[Problem]:
    """Report names that no task has: a test that waits for what cannot be proves nothing."""
    tasks = [task for program in piece.programs for task in tasks_of(program.root)]
    written = known_things() if piece.code else []
    known = {name for task in tasks for name in (task.name, task.pointer)} | set(written)
    for name, span in suite.tasks.items():
        if any(fnmatchcase(each, name) or each == pointer_of(name) for each in known):
            continue
        if piece.code and ("/" in name or name.startswith("event:")):
            continue  # The positions of code and its events are known when it has run.
        names = tuple(dict.fromkeys([*(task.name for task in tasks if task.pointer), *written]))
        meant = nearest(name, names)
        programs = ", ".join(f"`{each}`" for each in dict.fromkeys(each.name for each in piece.programs))
        yield Problem(
            "E7074",
            f"no task is called `{shortened(name)}` in {programs}",
            span,
            f"did you mean `{meant}`?" if meant else "no such task",
            (),
            (f"tasks: {', '.join(names)}",),
        )


def _schedules(suite: Suite, piece: Piece) -> Iterator[Problem]:
    for trial in suite.trials:
        if trial.scheduled is not None and piece.schedule is None:
            yield Problem(
                "E6010",
                f"`{piece.program.name}` has no schedule that could be played",
                trial.span,
                "in this test",
                (),
                (
                    "add `schedule: {every: ...}` (or `cron`, `after`, `on`) to the document",
                    "where its stack says when it runs, name the workflow as `stack.yaml#NAME`",
                ),
            )


def _secrets(suite: Suite, piece: Piece) -> Iterator[Problem]:
    needed = dict.fromkeys(name for program in piece.programs for name in program.secrets)
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
