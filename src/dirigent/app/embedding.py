"""Dirigent inside a program of the user's: open a folder, start workflows, await their results."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Generic, ParamSpec, TypeVar, cast

from dirigent.app.conducting import Desk, conducting
from dirigent.app.stacks import Surrounding
from dirigent.durable.conversion import from_json, to_json
from dirigent.durable.failures import RunFailed
from dirigent.durable.workflows import Child, Workflow
from dirigent.model.ids import RunId
from dirigent.model.problem import refuse
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended
from dirigent.model.run.summary import RunSummary
from dirigent.service import runs
from dirigent.service.finding import find
from dirigent.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
STATE_FOLDER: Final = ".dirigent"
STORE: Final = "dirigent.db"


@dataclass(frozen=True, slots=True)
class Handle(Generic[R]):
    """One run of a workflow, whichever process drives it."""

    id: str
    _desk: Desk
    _hint: object

    async def result(self) -> R:
        """Return what the workflow returned, once it has.

        Raises `RunFailed`, and `Refusal` for a run that cannot go on in this process (E4030, E4031).
        """
        ended = await self._desk.conductor.wait(RunId(self.id))
        if ended.phase != "completed":
            raise RunFailed(self.id, ended.phase, ended.fault)
        return cast("R", from_json(ended.output, self._hint, f"the result of run `{self.id}`"))

    async def phase(self) -> str:
        """Return where it stands: running, held, suspended, cancelling, completed, faulted or cancelled."""
        return (await find(self._desk.shelf, self.id)).phase

    async def signal(self, event: str, data: object = None, *, id: str = "") -> None:
        """Send an event. One with the same `id` is taken once only."""
        await runs.signal(self._desk, self.id, event, to_json(data, f"the event `{event}`"), id)

    async def cancel(self, reason: str = "") -> Ended:
        """Stop it for good, in order, and return how it ended."""
        return (await runs.cancel(self._desk, self.id, reason))[1]


@dataclass(frozen=True, slots=True)
class Orchestra:
    """An open store, and the engine that drives its runs: of this process, or of the one that came first."""

    desk: Desk

    async def start(self, called: Child[R], *, id: str = "", on_doubt: str = "") -> Handle[R]:
        """Start a workflow, called with its arguments: `start(place(7), id="order-7")`.

        The same `id` with the same arguments is the same run, started once. Durable when this returns.
        """
        wanted = runs.naked(called.workflow.program, called.input)
        wanted = runs.in_doubt(wanted, OnDoubt(on_doubt).value if on_doubt else "")
        run = await self.desk.conductor.start(wanted.start(RunId(id) if id else None))
        return Handle(run, self.desk, called.workflow.form.result)

    def run(self, workflow: Workflow[P, R], id: str) -> Handle[R]:
        """Return a run that was started before, by its id."""
        return Handle(id, self.desk, workflow.form.result)

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        return await self.desk.shelf.runs(only_open=only_open, limit=limit)


@asynccontextmanager
async def open(place: str | os.PathLike[str] = ".") -> AsyncIterator[Orchestra]:
    """Open a folder, whose state lies in its `.dirigent`, or a store by the path of its `dirigent.db`.

    Every run that is open there goes on while the block runs. Raises `Refusal`.
    """
    path = Path(place)
    if path.suffix == ".db" and path.name != STORE:
        raise refuse(
            "E7041",
            f"`{path}` cannot be a store: its file is called `{STORE}`",
            f"name a folder, or `{path.parent / STORE}`",
        )
    folder, state = (path.parent, path.parent) if path.name == STORE else (path, path / STATE_FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    around = Surrounding(Settings(state.absolute()), folder)
    async with conducting(around) as desk:
        yield Orchestra(desk)
