"""What puts a workflow together whose parts lie elsewhere; imported when the first such workflow starts."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from dirigent.app.stacks import Surrounding
from dirigent.engine.engine import Whole
from dirigent.model.program import Program
from dirigent.model.run.start import Start
from dirigent.ports import Performer


class Linking(Protocol):
    """`app.elsewhere.linking.Linker`."""

    async def program(
        self, start: Start, performers: Mapping[str, Performer], known: Mapping[str, str]
    ) -> Program:
        """Return the program of a start, whole."""
        ...


def linker_of(around: Surrounding) -> Whole:
    """Return what makes programs whole, with files below the folder of a stack."""
    return whole(around.folder)


def whole(folder: Path) -> Whole:
    """Return what makes programs whole, with files below a folder."""

    async def program(start: Start, performers: Mapping[str, Performer], known: Mapping[str, str]) -> Program:
        build: Callable[[Path], Linking] = importlib.import_module(f"{__name__}.linking").linker
        return await build(folder).program(start, performers, known)

    return program
