"""Have the engine that runs make a plan, carry it out, and tell what is left: commands are then thin.

Law: whoever cannot be answered so goes on as if no engine ran; what was begun by then goes on. What is
imported here is imported before the engine begins: no more than the question needs.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol, cast

import click

from dirigent.app.stacks import Surrounding
from dirigent.cli.answer import complain
from dirigent.cli.given import Options
from dirigent.cli.options import AHEAD
from dirigent.cli.place import Place, place
from dirigent.cli.session import pairs, selection
from dirigent.model.asking.warm import Answer, Question
from dirigent.model.ids import RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.service import door
from dirigent.service.warm import wire
from dirigent.settings import INPUT_PREFIX

DOCUMENTS: Final = "dirigent.service.documents"


class _Documents(Protocol):
    """What `dirigent.service.documents` offers, which is imported where there is a file of inputs."""

    def values_of(self, path: Path) -> dict[str, Value]:
        """Return the mapping that a file holds. Raises `Refusal`."""
        ...


@dataclass(slots=True)
class Engine:
    """The engine behind a door, and what it is asked about; `begun` is the first question, if it was sent."""

    door: str
    question: Question
    begun: wire.Begun | None = None

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
        begun, self.begun = self.begun, None
        answer = await (wire.ask(self.door, question) if begun is None else wire.hear(begun))
        if answer.warnings:
            complain(answer.warnings)
        if answer.refused:
            raise Refusal(answer.refused)
        return answer


@dataclass(frozen=True, slots=True)
class Ahead:
    """An engine that has its first question already, and where the command works."""

    place: Place
    engine: Engine


def begin_up(given: Mapping[str, object]) -> Ahead | None:
    """Have the engine that runs begin to plan for `up`."""
    return _begin(Options(given), secrets=True)


def begin_plan(given: Mapping[str, object]) -> Ahead | None:
    """Have the engine that runs begin to plan for `plan`."""
    return _begin(Options(given), secrets=False)


def _begin(options: Options, *, secrets: bool) -> Ahead | None:
    """Send the question for a plan; None where there is no engine, or something is wrong with the options."""
    if options.text("stored") or options.flag("destroy"):
        return None
    try:
        where = place(options)
        if where.settings.database is not None:
            return None
        question = replace(_question(where, options), secrets=secrets)
    except (Refusal, click.UsageError):
        return None  # The command itself says so.
    begun = wire.begin(where.settings.socket, question)
    return Ahead(where, Engine(where.settings.socket, question, begun)) if begun is not None else None


def engine_of(options: Options) -> tuple[Place, Engine] | None:
    """Return the engine that runs where a command works; None where none does, or on a database.

    Raises `Refusal` (E7001, E7002) for a file of inputs.
    """
    ahead = options.given.get(AHEAD)
    if isinstance(ahead, Ahead):
        return ahead.place, ahead.engine
    where = place(options)
    if where.settings.database is not None or not door.answers(where.settings.socket):
        return None
    return where, Engine(where.settings.socket, _question(where, options))


def _question(where: Place, options: Options) -> Question:
    return Question(
        "plan",
        file=str(where.stack_file),
        folder=str(Path.cwd()),
        flags=pairs(options.many("flags")),
        files={name: _documents().values_of(Path(name)) for name in options.many("files")},
        environment={name: text for name, text in os.environ.items() if name.startswith(INPUT_PREFIX)},
        refresh="none" if options.flag("no_refresh") else "",
        selection=selection(options),
    )


def _documents() -> _Documents:
    return cast("_Documents", importlib.import_module(DOCUMENTS))


def surrounding_of(where: Place, options: Options) -> Surrounding:
    """Return what a command works in that leaves the stack to the engine."""
    return Surrounding(where.settings, where.folder, events=options.text("sink"))
