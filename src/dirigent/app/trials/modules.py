"""Workflows in Python that tests play: which module a file is, and what its authors called things."""

from __future__ import annotations

import sys
from pathlib import Path

from dirigent.app.authors import Authors
from dirigent.durable.steps import Step
from dirigent.durable.workflows import Workflow
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.program import Code, Program
from dirigent.model.source import Span

# What a workflow in Python does besides its steps, as the engine names it.
_WAITS = ("sleep", "event", "gather")


def root_of(path: Path) -> tuple[Path, str]:
    """Return the folder from which a file is imported, and its module there; packages are kept whole."""
    path = path.resolve()
    root, parts = path.parent, [path.stem]
    while (root / "__init__.py").is_file() and root.parent != root:
        parts.insert(0, root.name)
        root = root.parent
    return root, ".".join(parts)


def reference_of(code: Code) -> str:
    """Return the name by which a workflow is found again."""
    return f"{code.module}:{code.name}"


def of_reference(plays: Authors, root: Path, reference: str, at: Span) -> Program:
    """Return the program of a workflow below a folder.

    Raises `Refusal`: E7070 where there is none, E6008 where another file has the name of its module already.
    """
    try:
        program = plays.program(reference)
    except Refusal as refusal:
        first = refusal.problems[0]
        raise Refusal([Problem("E7070", first.message, at, "not found", (), first.help)]) from None
    module = reference.partition(":")[0]
    found = getattr(sys.modules.get(module), "__file__", None)
    if found is not None and not Path(found).resolve().is_relative_to(root.resolve()):
        raise refuse(
            "E6008",
            f"the module `{module}` was read from `{found}`, not from the folder `{root}`",
            "play the test files of modules with one name in commands of their own, or rename one of them",
            at=at,
        )
    return program


def known_things() -> list[str]:
    """Return the names of the steps and workflows of all modules that are imported."""
    found = {
        thing.name: None
        for module in list(sys.modules.values())
        for thing in list(getattr(module, "__dict__", {}).values())
        if isinstance(thing, Step | Workflow)
    }
    return [*found, *_WAITS]
