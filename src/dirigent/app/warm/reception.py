"""Where an engine receives who wants a plan: what it has read and started stays for the next one.

Law: what is planned, refused and told is what a command would by itself, with the environment of the engine,
which carries the plan out. Nothing is read that the caller, who is the same user, could not read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import field, replace
from functools import partial
from pathlib import Path
from typing import Final

from dirigent.app.conducting import Desk
from dirigent.app.planning import Parts, planner_of
from dirigent.app.stacks import Surrounding
from dirigent.app.warm.kits import Kit, Kits
from dirigent.app.warm.reading import Known, Library
from dirigent.model.asking.warm import Answer, Question
from dirigent.model.ids import PlanId
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.service import changes, stacks
from dirigent.service.changes import Aim
from dirigent.service.plans import How, Planner
from dirigent.service.schedules import keeping
from dirigent.service.warm.wire import answering

# Plans of ten thousand resources take up some ten megabytes.
PLANS: Final = 4


@dataclass(slots=True)
class Reception:
    """`around` and `parts` are those of the engine; `desk` is where its runs begin."""

    around: Surrounding
    parts: Parts
    desk: Desk
    _library: Library = field(default_factory=Library)
    # One thread: who leaves while a stack is read leaves it to be read to its end.
    _reader: ThreadPoolExecutor = field(default_factory=partial(ThreadPoolExecutor, 1, "stacks"))
    _plans: dict[PlanId, tuple[Plan, Known]] = field(default_factory=dict)
    _kits: Kits = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what the engine has."""
        self._kits = Kits(self.around, self.parts)

    async def close(self) -> None:
        """End what was started for stacks other than that of the engine."""
        self._reader.shutdown(wait=False)
        await self._kits.close()

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
        known = await self._known(question)
        loaded = known.loaded
        async with self._lent(question, known) as kit:
            try:
                made = await self._made(question, known, self._planner(kit))
            except Refusal as refusal:
                return Answer(refused=refusal.problems, warnings=loaded.warnings)
            lacking = await self._lacking(made, kit) if question.secrets else ()
        return Answer(made, warnings=loaded.warnings, lacking=lacking)

    async def _made(self, question: Question, known: Known, planner: Planner) -> Plan:
        stack = known.loaded.stack
        given = stacks.given_values(question.flags, question.files, question.environment, stack)
        how = How(question.refresh != "none", question.selection)
        made = await changes.proposed(planner, Aim(stack.name, stack, stacks.resolved(stack, given), how=how))
        if made.pending:
            await changes.keep(self.desk.conductor, self.desk.shelf, made)
        self._remember(made, known)
        return made

    async def _carried(self, question: Question) -> Answer:
        made, known = await self._remembered(question)
        async with self._lent(question, known) as kit:
            troubles = await self._kits.trouble(kit, made)
            if troubles:
                raise Refusal(troubles)
            await self._kits.engage(kit)
        return Answer(run=await changes.apply(self.desk, made, question.by))

    async def _settled(self, question: Question) -> Answer:
        """Return what is left: schedules, where the plan was carried out, and the outputs as they are now."""
        made, known = await self._remembered(question)
        stack = known.loaded.stack
        if question.phase not in {"", "completed"}:
            return Answer()
        async with self._lent(question, known) as kit:
            planner = self._planner(kit)
            kept = await keeping.keep(self.desk, planner, stack, made.inputs)
            outputs = await changes.outputs(planner, stack, made, None)
        return Answer(outputs=outputs, schedules={each.name: each.what for each in kept})

    async def _known(self, question: Question) -> Known:
        file = Path(question.folder) / question.file
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._library.read, file, question.file)

    def _lent(self, question: Question, known: Known) -> AbstractAsyncContextManager[Kit]:
        """Return what a stack is planned with: the providers of the engine, where they are the same."""
        folder = (Path(question.folder) / question.file).parent
        return self._kits.lent(Surrounding(self.around.settings, folder, known.loaded.stack), known.programs)

    def _planner(self, kit: Kit) -> Planner:
        own = self.desk.planner if kit.parts is self.parts else planner_of(kit.parts)
        return replace(own, apart=True)

    async def _remembered(self, question: Question) -> tuple[Plan, Known]:
        """Return a plan with the stack that it was made of, or as that is now where nobody knows."""
        found = self._plans.get(PlanId(question.plan))
        if found is not None:
            return found
        return await changes.stored(self.desk.shelf, question.plan), await self._known(question)

    def _remember(self, made: Plan, known: Known) -> None:
        self._plans.pop(made.id, None)
        while len(self._plans) >= PLANS:
            del self._plans[next(iter(self._plans))]
        self._plans[made.id] = made, known

    async def _lacking(self, made: Plan, kit: Kit) -> tuple[Problem, ...]:
        """Return what keeps the engine from carrying a plan out: secrets, or providers."""
        vault = kit.parts.vault if self._kits.knows(kit) else self.desk.vault
        try:
            changes.check_secrets(vault, self.desk.planner.language, made)
        except Refusal as refusal:
            return refusal.problems
        return await self._kits.trouble(kit, made)
