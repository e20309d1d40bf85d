"""Have the engine that runs make a plan, carry it out, and tell what is left: commands are then thin.

Law: whoever cannot be answered so goes on as if no engine ran; what was begun by then goes on.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from dirigent.app.stacks import Surrounding
from dirigent.cli.answer import complain
from dirigent.cli.given import Options
from dirigent.cli.place import Place, place
from dirigent.cli.session import pairs, selection
from dirigent.model.asking.warm import Answer, Question
from dirigent.model.ids import RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.service import door
from dirigent.service.documents import values_of
from dirigent.service.stacks import INPUT_PREFIX
from dirigent.service.warm.wire import ask


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine behind a door, and what it is asked about."""

    door: str
    question: Question

    async def plan(self, *, secrets: bool = False) -> Answer:
        """Return the plan. Raises `HolderGone`; `Refusal`: what planning refuses, E5074."""
        return await self._ask(replace(self.question, want="plan", secrets=secrets))

    async def carry(self, made: Plan, by: str) -> RunId:
        """Have a plan carried out, and return the run. Raises as `plan`, and as `service.changes.apply`."""
        return RunId((await self._ask(replace(self.question, want="carry", plan=made.id, by=by))).run)

    async def settle(self, made: Plan, phase: str) -> Answer:
        """Have done what is left when a plan was carried out, and return what became of it."""
        return await self._ask(replace(self.question, want="settle", plan=made.id, phase=phase))

    async def _ask(self, question: Question) -> Answer:
        answer = await ask(self.door, question)
        if answer.warnings:
            complain(answer.warnings)
        if answer.refused:
            raise Refusal(answer.refused)
        return answer


def engine_of(options: Options) -> tuple[Place, Engine] | None:
    """Return the engine that runs where a command works; None where none does, or on a database.

    Raises `Refusal` (E7001, E7002) for a file of inputs.
    """
    where = place(options)
    if where.settings.database is not None or not door.answers(where.settings.socket):
        return None
    question = Question(
        "plan",
        file=str(where.stack_file),
        folder=str(Path.cwd()),
        flags=pairs(options.many("flags")),
        files={str(Path(name)): values_of(Path(name)) for name in options.many("files")},
        environment={name: text for name, text in os.environ.items() if name.startswith(INPUT_PREFIX)},
        refresh="none" if options.flag("no_refresh") else "",
        selection=selection(options),
    )
    return where, Engine(where.settings.socket, question)


def surrounding_of(where: Place, options: Options) -> Surrounding:
    """Return what a command works in that leaves the stack to the engine."""
    return Surrounding(where.settings, where.folder, events=options.text("sink"))
