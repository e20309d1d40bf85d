"""Where an engine receives who wants a plan: what it has read and started stays for the next one.

Law: what is planned, refused and told is what a command would by itself, with the environment of the engine,
which carries the plan out. Nothing is read that the caller, who is the same user, could not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import field, replace
from pathlib import Path
from typing import Final

from dirigent.app.conducting import Desk
from dirigent.app.planning import Parts, parts_of, planner_of
from dirigent.app.stacks import Surrounding
from dirigent.app.warm.reading import Library
from dirigent.model.asking.warm import Answer, Question
from dirigent.model.ids import PlanId
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.model.stack import Stack
from dirigent.service import changes, stacks
from dirigent.service.changes import Aim
from dirigent.service.plans import How, Planner
from dirigent.service.schedules import keeping
from dirigent.service.stacks import Loaded
from dirigent.service.warm.wire import answering

# Plans of ten thousand resources take up some ten megabytes.
PLANS: Final = 4
# Stacks with providers of their own, each with the processes of these.
OTHERS: Final = 4


@dataclass(slots=True)
class Reception:
    """`around` and `parts` are those of the engine; `desk` is where its runs begin."""

    around: Surrounding
    parts: Parts
    desk: Desk
    _library: Library = field(default_factory=Library)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _others: dict[str, tuple[Parts, AsyncExitStack]] = field(default_factory=dict)
    _plans: dict[PlanId, Plan] = field(default_factory=dict)

    async def close(self) -> None:
        """End what was started for stacks other than that of the engine."""
        for _, opened in self._others.values():
            await opened.aclose()
        self._others.clear()

    async def welcome(
        self, request: Mapping[str, object], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer somebody at the door."""
        await answering(self.reply)(request, reader, writer)

    async def reply(self, question: Question) -> Answer:
        """Return the answer to a question. Raises `Refusal`."""
        match question.want:
            case "plan":
                return await self._planned(question)
            case "carry":
                return await self._carried(question)
            case _:
                return await self._settled(question)

    async def _planned(self, question: Question) -> Answer:
        loaded = await self._loaded(question)
        try:
            made = await self._made(question, loaded.stack)
        except Refusal as refusal:
            return Answer(refused=refusal.problems, warnings=loaded.warnings)
        lacking = self._lacking(made) if question.secrets else ()
        return Answer(made, warnings=loaded.warnings, lacking=lacking)

    async def _made(self, question: Question, stack: Stack) -> Plan:
        planner = await self._planner(question, stack)
        given = stacks.given_values(question.flags, question.files, question.environment, stack)
        how = How(question.refresh != "none", question.selection)
        made = await changes.proposed(planner, Aim(stack.name, stack, stacks.resolved(stack, given), how=how))
        if made.pending:
            await changes.keep(self.desk.conductor, self.desk.shelf, made)
        self._remember(made)
        return made

    async def _carried(self, question: Question) -> Answer:
        made = await self._plan(question)
        return Answer(run=await changes.apply(self.desk, made, question.by))

    async def _settled(self, question: Question) -> Answer:
        """Return what is left: schedules, where the plan was carried out, and the outputs as they are now."""
        stack = (await self._loaded(question)).stack
        planner = await self._planner(question, stack)
        made = await self._plan(question)
        if question.phase not in {"", "completed"}:
            return Answer()
        kept = await keeping.keep(self.desk, planner, stack, made.inputs)
        outputs = await changes.outputs(planner, stack, made, None)
        return Answer(outputs=outputs, schedules={each.name: each.what for each in kept})

    async def _loaded(self, question: Question) -> Loaded:
        file = Path(question.folder) / question.file
        async with self._reading:
            return await asyncio.to_thread(self._library.read, file, question.file)

    async def _planner(self, question: Question, stack: Stack) -> Planner:
        """Return the planner with the providers of a stack: those of the engine, where they are the same."""
        folder = (Path(question.folder) / question.file).parent
        around = Surrounding(self.around.settings, folder, stack)
        if _same(around) == _same(self.around):
            return replace(self.desk.planner, apart=True)
        key = _same(around)
        # One at a time: two who ask for the same stack share what the first one starts.
        async with self._starting:
            if key not in self._others:
                while len(self._others) >= OTHERS:
                    _, opened = self._others.pop(next(iter(self._others)))
                    await opened.aclose()
                opened = AsyncExitStack()
                self._others[key] = (await parts_of(opened, around, self.parts.store), opened)
            parts, _ = self._others[key]
        return replace(planner_of(parts), apart=True)

    async def _plan(self, question: Question) -> Plan:
        known = self._plans.get(PlanId(question.plan))
        return known if known is not None else await changes.stored(self.desk.shelf, question.plan)

    def _remember(self, made: Plan) -> None:
        self._plans.pop(made.id, None)
        while len(self._plans) >= PLANS:
            del self._plans[next(iter(self._plans))]
        self._plans[made.id] = made

    def _lacking(self, made: Plan) -> tuple[Problem, ...]:
        try:
            changes.check_secrets(self.desk.vault, self.desk.planner.language, made)
        except Refusal as refusal:
            return refusal.problems
        return ()


def _same(around: Surrounding) -> str:
    """Return what providers and secrets hang on: two stacks with the same may share what is started."""
    declared = around.stack.providers if around.stack else {}
    setups = sorted(
        (name, each.source, each.version, each.of, each.parallel) for name, each in declared.items()
    )
    secrets = sorted((each.name, each.kind, each.at) for each in around.secrets.values())
    return repr((str(around.folder.resolve()), setups, secrets))
